"""Messages and templates of a recording."""

from __future__ import annotations

from pathlib import Path

from aiops_nb import open_recording
from aiops_nb.core.schemas import make_batch
from aiops_nb.record.recorder import Recorder

S = 1_000_000_000
T0 = 1_780_000_000 * S
TEXTS = [f"took {i} ms for {name}" for i, name in enumerate(["ann", "bob", "eve", "joe"] * 5)] + ["disk gone"]


def test_messages_and_templates_of_a_recording(tmp_path: Path) -> None:
    """Every row has a template, counts add up to the rows, and a range keeps the templates."""
    recorder = Recorder(tmp_path / "r")
    for at in range(0, len(TEXTS), 4):
        texts = TEXTS[at : at + 4]
        severity = [None if text.startswith("took") else "error" for text in texts]
        rows = {"time": [T0 + (at + i) * S for i in range(len(texts))], "target": ["app"] * len(texts)}
        recorder.write(make_batch("messages", "log", {**rows, "severity": severity, "text": texts}))
    recorder.close()
    recording = open_recording(tmp_path / "r")
    messages = recording.messages()
    assert messages["text"].tolist() == TEXTS
    assert set(messages["template"]) == {"took <*> ms for <*>", "disk gone"}
    templates = recording.templates()
    assert templates["count"].tolist() == [20, 1] and templates["severity"].tolist()[1] == "error"
    assert templates["template"].tolist() == ["took <*> ms for <*>", "disk gone"]
    part = recording.messages(start="18s")
    assert part["template"].tolist() == ["took <*> ms for <*>"] * 2 + ["disk gone"]
    assert recording.messages(end="0s").empty and recording.templates(end="0s").empty

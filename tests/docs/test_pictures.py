"""The pictures of the rules: small, well-formed, and of a stream that the rule fired on."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.pictures.__main__ import SCENES
from benchmarks.pictures.chart import Band, Span, picture
from benchmarks.pictures.scene import FOLDER

MOST_BYTES = 40_000


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene_has_its_picture(scene):
    drawn = (FOLDER / f"{scene.name}.svg").read_text(encoding="utf-8")
    assert len(drawn) < MOST_BYTES and ElementTree.fromstring(drawn).tag.endswith("svg")
    assert scene.alertname is None or f">{scene.alertname}</text>" in drawn


def test_no_picture_is_left_of_a_scene_that_is_gone():
    assert {path.stem for path in FOLDER.glob("*.svg")} == {scene.name for scene in SCENES}


def test_gaps_and_names_from_outside_are_drawn_as_they_are(tmp_path: Path):
    seconds, values = np.arange(3000.0), np.where(np.arange(3000) % 1000 < 400, np.nan, 0.1)
    values[1700] = 9.0
    none = np.full(3000, np.nan)
    spans = [Span(100.0, np.inf, "<script>", "critical")]
    picture(tmp_path / "a.svg", (seconds, values), Band(none, none, none), spans, "a < b", "ratio")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    title, *_ = ElementTree.fromstring(drawn)
    assert title.text == "a < b" and "<script>" not in drawn and "nan" not in drawn and len(drawn) < MOST_BYTES
    assert ">750 %</text>" in drawn

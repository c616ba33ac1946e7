"""A toy channel made by CONTRIBUTING's recipe notifies once, and is tried again after a failure that may pass."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiops_nb.monitor.notifications import Notifications
from aiops_nb.notify import DeliveryError, Message, Notifier, NotifyParams
from aiops_nb.notify.log import NotificationLog
from tests.paths import ROOT
from tests.unit.notify.receiver import change, step


class FileNotifier:
    """Appends a line for each message; the first send fails."""

    name = "file"
    max_single = 10
    max_batch = 100
    min_interval_seconds = 0.0
    repeat_seconds: float | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failed = False
        self.resolved = threading.Event()

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        if not self._failed:
            self._failed = True
            raise DeliveryError("file: not mounted yet")
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{message.idempotency_key}\n" for message in messages)
        if messages[-1].kind == "resolved":
            self.resolved.set()
        return {}

    def close(self) -> None: ...


def test_a_toy_channel_delivers_each_message_once(tmp_path: Path) -> None:
    toy = FileNotifier(tmp_path / "alerts.txt")
    assert isinstance(toy, Notifier)
    log = NotificationLog(tmp_path / "log.sqlite")
    sink = Notifications(NotifyParams(group_wait_seconds=0.0), [toy], log, jitter=lambda: 0.1)
    sink.write(step(change("firing"), change("resolved", time_ns=5 * 10**9), change("resolved", time_ns=5 * 10**9)))
    assert toy.resolved.wait(20)
    sink.close()
    lines = (tmp_path / "alerts.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["aiops_nb-f-1000000000-firing", "aiops_nb-f-1000000000-resolved"]


def test_the_recipe_has_at_most_eight_steps() -> None:
    text = (
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A new notifier")[2].partition("\n## ")[0]
    )
    assert 1 <= len(re.findall(r"^\d+\. ", text, re.MULTILINE)) <= 8

"""Recordings: the tap, the format, recovery, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.record.reader import RecordingReader as RecordingReader
    from aiops_nb.record.recorder import Recorder as Recorder

__all__ = ["Recorder", "RecordingReader"]
__getattr__, __dir__ = lazily(
    __name__, {"Recorder": "aiops_nb.record.recorder", "RecordingReader": "aiops_nb.record.reader"}
)

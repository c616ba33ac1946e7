"""A recording that another process writes, through the same pipeline: a second view that never probes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.quantities import format_duration
from aiops_nb.core.types import Item
from aiops_nb.engine.look_ahead import grouped
from aiops_nb.monitor.answering.control import Obey, ask, socket_of
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.run import Deliver
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.tail import RecordingTail

LOOK_SECONDS = 0.25
SILENT_SECONDS = 4.0  # a live monitor records a heartbeat every second
Writer: TypeAlias = Literal["writing", "silent", "gone"]


class FollowRun(ReplayRun):
    """Replays what is recorded, then each item soon after it was appended, until it is stopped.

    Parameters
    ----------
    reader
        The recording.
    deliver
        Takes each step.
    clock
        Measures how long nothing came.
    """

    def __init__(self, reader: RecordingReader, deliver: Deliver, clock: Clock | None = None) -> None:
        extent_ns = reader.time_range_ns
        super().__init__(reader.items, None, deliver, float("inf"), time_range_ns=extent_ns, trust=reader.trusted)
        self._reader = reader
        self._measure = clock or SystemClock()
        self._end = threading.Event()
        self._caught_up = False
        self._appended_at_seconds = self._measure.monotonic_seconds()
        self._is_gone = not reader.is_live
        self.pace = None  # it goes as fast as the writer

    @property
    def writer(self) -> Writer:
        """Whether the other process records: `writing`, `silent` (nothing for some seconds) or `gone`."""
        if self._is_gone:
            return "gone"
        return "silent" if self._caught_up and self._silent_seconds >= SILENT_SECONDS else "writing"

    @property
    def progress_ratio(self) -> float | None:
        """How much of what was there at the start has been read; None once all of it is."""
        return None if self._caught_up else super().progress_ratio

    def stop(self) -> None:
        """End; the other process goes on."""
        self._end.set()
        super().stop()

    def command(self, body: str) -> None:
        """Hand a command to the monitor that records: it comes back with the stream.

        Raises
        ------
        ConfigError
            If that monitor cannot be reached, or refuses.
        """
        path = socket_of(self._reader.path)
        name = self._reader.path.name
        if path is None:
            remedy = "it must run, as the same user, with aiops-nb watch or after monitor.listen()"
            raise ConfigError(f"{name}: the monitor that records cannot be reached: {remedy}")
        try:
            ask(path, Obey(command=msgspec.json.decode(body)))
        except OSError as problem:
            raise ConfigError(
                f"{name}: the monitor that records does not answer ({problem.strerror or problem})"
            ) from None
        except AiopsError as problem:
            raise ConfigError(str(problem)) from None

    def problems(self) -> dict[str, str]:
        """What went wrong, and whether the writer is there."""
        found = super().problems()
        if self.running and self.writer == "gone":
            found["recording"] = "the monitor that writes it has stopped; new rows appear when it records again"
        elif self.running and self.writer == "silent":
            silent = format_duration(round(self._silent_seconds))
            found["recording"] = f"the monitor that writes it does not respond: no heartbeat for {silent}"
        return found

    @property
    def _silent_seconds(self) -> float:
        return self._measure.monotonic_seconds() - self._appended_at_seconds

    def _groups(self) -> Iterator[Sequence[Item]]:
        """What is recorded, then what has come since the last look: nothing waits for more."""
        tail = RecordingTail(self._reader)
        try:
            yield from grouped(tail.recorded())
            while not self._end.is_set():
                is_gone = not self._reader.is_live  # asked first: what it wrote before its end is read below
                items = tail.appended()
                if items:
                    self._appended_at_seconds = self._measure.monotonic_seconds()
                    yield items
                if not self._caught_up:
                    self._appended_at_seconds = self._measure.monotonic_seconds()
                    self._caught_up = True
                self._is_gone = is_gone
                self._require_recording(self._reader.path)
                self._end.wait(LOOK_SECONDS)
        finally:
            tail.close()

    @staticmethod
    def _require_recording(path: Path) -> None:
        if not path.is_dir():
            raise AiopsError(f"{path}: the recording was removed")

"""How far a long piece of work is, for a person who waits for it."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from aiops_nb.core.columns import times_ns
from aiops_nb.core.types import Step

FIRST_SECONDS = 3.0
EVERY_SECONDS = 0.5


class ProgressSink:
    """A sink that writes a line such as `replay: 43 %` again and again; nothing of work that is done at once.

    Parameters
    ----------
    label
        What is done.
    time_range_ns
        [first, last) of the rows; None shows nothing.
    shown
        Whether to; None: if the error stream is a terminal or a notebook's.
    stream
        The error stream by default.
    """

    def __init__(
        self,
        label: str,
        time_range_ns: tuple[int, int] | None,
        shown: bool | None = None,
        stream: TextIO | None = None,
    ) -> None:
        self._label, self._range = label, time_range_ns
        self._stream = stream or sys.stderr
        self._shown = time_range_ns is not None and (is_watched(self._stream) if shown is None else shown)
        self._due = time.monotonic() + (0.0 if shown else FIRST_SECONDS)
        self._written = False

    def write(self, step: Step) -> None:
        """Show the time of a step, twice a second at most."""
        if not self._shown or self._range is None or time.monotonic() < self._due or not step.item.batch.num_rows:
            return
        self._due = time.monotonic() + EVERY_SECONDS
        first_ns, last_ns = self._range
        done = (int(times_ns(step.item.batch.column("time"))[-1]) - first_ns) / max(1, last_ns - first_ns)
        self._stream.write(f"\r{self._label}: {min(1.0, max(0.0, done)):.0%} ")
        self._stream.flush()
        self._written = True

    def close(self) -> None:
        """Say that it is done, if anything was shown."""
        if self._written:
            self._written = False
            self._stream.write(f"\r{self._label}: done\n")
            self._stream.flush()


def is_watched(stream: TextIO) -> bool:
    """Whether a person reads it: a terminal, or the output of a notebook's cell."""
    return stream.isatty() or type(stream).__module__.partition(".")[0] == "ipykernel"

"""Alert changes on their way from the engine's thread to the main thread, which alone writes to the output."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from aiops_nb.cli.lines import alert_line, alert_text, symbols_for
from aiops_nb.core.types import AlertChange, Step

LOOK_EVERY_SECONDS = 0.2  # how soon an end without a change is noticed; a change itself is passed on at once


class ChangeQueue:
    """A sink that passes changes on; a slow reader of the output never holds up the engine."""

    def __init__(self) -> None:
        self._changes: SimpleQueue[AlertChange | None] = SimpleQueue()

    def write(self, step: Step) -> None:
        """Pass on the changes of one step."""
        for change in step.changes:
            self._changes.put(change)

    def close(self) -> None:
        """Nothing to release."""

    def wake(self) -> None:
        """Have `until` look at once whether it is over; reentrant, so that a signal handler may call it."""
        self._changes.put(None)

    def until(self, over: Callable[[], bool]) -> Iterator[AlertChange]:
        """Changes as they come, until `over`."""
        while not over():
            try:
                change = self._changes.get(timeout=LOOK_EVERY_SECONDS)
            except Empty:
                continue
            if change is not None:
                yield change

    def rest(self) -> Iterator[AlertChange]:
        """What waits, without waiting: after the engine has ended, all there is."""
        while not self._changes.empty():
            change = self._changes.get()
            if change is not None:
                yield change


@dataclass(slots=True)
class ChangePrinter:
    """Writes one line per change, and counts the states."""

    as_json: bool
    states: Counter[str] = field(default_factory=Counter)

    def write(self, change: AlertChange) -> None:
        """Write one change and flush: the reader may be a program that waits for it."""
        self.states[change.state] += not change.suppressed_by
        text = alert_line(change) if self.as_json else alert_text(change, symbols_for(sys.stdout.encoding))
        write_line(text)

    @property
    def fired(self) -> bool:
        """Whether any alert reached firing."""
        return self.states["firing"] > 0

    def summary(self) -> str:
        """How many alerts did what.

        Examples
        --------
        >>> ChangePrinter(as_json=False).summary()
        'no alert fired'
        """
        if not self.fired:
            return "no alert fired"
        plural = "" if self.states["firing"] == 1 else "s"
        return f"{self.states['firing']} alert{plural} fired, {self.states['resolved']} resolved"


class ReaderLeft(BaseException):
    """Nobody reads the output any more. Not an Exception: a monitor goes on after a sink's exception."""


class PrintingSink:
    """A sink that prints at once: for a replay that runs in the main thread."""

    def __init__(self, printer: ChangePrinter) -> None:
        self._printer = printer

    def write(self, step: Step) -> None:
        """Print the changes of one step."""
        for change in step.changes:
            try:
                self._printer.write(change)
            except BrokenPipeError:
                raise ReaderLeft from None

    def close(self) -> None:
        """Nothing to release."""


def write_line(text: str) -> None:
    """One line of UTF-8 on the standard output, with the same bytes on every system."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # a notebook's or a test's own output stream
        print(text, flush=True)
        return
    sys.stdout.flush()
    binary.write(text.encode() + b"\n")
    binary.flush()

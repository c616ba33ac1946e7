"""Alert changes on their way from the engine's thread to the main thread, which alone writes to the output."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TextIO

import msgspec

from aiops_nb.core.labels import rfc3339
from aiops_nb.core.quantities import format_count, printable
from aiops_nb.core.types import FIRING_STATES, AlertChange, AlertState, Step

LOOK_EVERY_SECONDS = 0.2  # how soon an end without a change is noticed; a change itself is passed on at once


class StatusLine:
    """One line at the bottom of a terminal that is written again and again; nothing where no person looks.

    Parameters
    ----------
    stream
        Usually the error stream, so that the output stays what it is; None, or no terminal: nothing is written.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._shown = False

    @property
    def is_shown(self) -> bool:
        """Whether somebody can see it."""
        return self._stream is not None

    def write(self, text: str) -> None:
        """Show a message in place of the previous one."""
        if self._stream is not None:
            columns = shutil.get_terminal_size().columns
            self._stream.write(f"\r{printable(text)[: columns - 1]}\x1b[K")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        """Make room for a whole line."""
        if self._stream is not None and self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


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

    def until(self, over: Callable[[], bool]) -> Iterator[AlertChange | None]:
        """Changes as they come, and None now and then while none comes, until `over`."""
        while not over():
            try:
                yield self._changes.get(timeout=LOOK_EVERY_SECONDS)
            except Empty:
                yield None

    def rest(self) -> Iterator[AlertChange]:
        """What waits, without waiting: after the engine has ended, all there is."""
        while not self._changes.empty():
            change = self._changes.get()
            if change is not None:
                yield change


@dataclass(slots=True)
class ChangePrinter:
    """Writes one line per change, and counts the states.

    Parameters
    ----------
    as_json
        Whether programs read the lines.
    status
        The line at the bottom of a terminal, which is cleared before each change.
    """

    as_json: bool
    status: StatusLine = field(default_factory=StatusLine)
    states: Counter[str] = field(default_factory=Counter)
    _firing: set[str] = field(default_factory=set)

    def write(self, change: AlertChange) -> None:
        """Write one change and flush: the reader may be a program that waits for it."""
        if not change.inhibited_by and not _is_cut_off(change):
            self._count(change)
        self.status.clear()
        text = alert_line(change) if self.as_json else alert_text(change, symbols_for(sys.stdout.encoding))
        write_line(text)

    def _count(self, change: AlertChange) -> None:
        """Count changes of the state: an alert that fired already does not fire again when somebody answers it."""
        if change.is_firing and change.fingerprint in self._firing:
            return
        if change.state != "pending" or not change.update:
            self.states[change.state] += 1
        (self._firing.add if change.is_firing else self._firing.discard)(change.fingerprint)

    @property
    def fired(self) -> bool:
        """Whether any alert reached firing."""
        return self._fired_total > 0

    @property
    def _fired_total(self) -> int:
        return sum(self.states[state] for state in FIRING_STATES)

    def summary(self) -> str:
        """How many alerts fired, resolved, and still fire.

        Examples
        --------
        >>> ChangePrinter(as_json=False).summary()
        'no alerts'
        """
        if not self.fired:
            return "no alerts"
        resolved, firing = self.states["resolved"], len(self._firing)
        return f"{format_count(self._fired_total, 'alert')}, {resolved} resolved, {firing} still firing"


def _is_cut_off(change: AlertChange) -> bool:
    """Whether it ended only because monitoring did: it still fired then."""
    return change.state == "resolved" and change.outcome == "monitoring stopped"


class StdoutClosed(BaseException):
    """The reader of the output has left. Not an Exception: a monitor goes on after a sink's exception."""


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
                raise StdoutClosed from None

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


NUMBERS = ("value", "expected", "lower", "upper", "score", "threshold")
SYMBOLS: Mapping[AlertState, str] = {
    "pending": "◌",
    "firing": "●",
    "nodata": "○",
    "error": "■",
    "resolved": "✓",
    "inactive": "·",
}
PLAIN_SYMBOLS: Mapping[AlertState, str] = {
    "pending": "?",
    "firing": "!",
    "nodata": "0",
    "error": "x",
    "resolved": "+",
    "inactive": "-",
}


def alert_line(change: AlertChange) -> str:
    """One JSON object without its line end: sorted keys, RFC 3339 times, null for what is not known.

    Examples
    --------
    >>> change = AlertChange(
    ...     time_ns=1, state="pending", labels={"alertname": "http_5xx"}, fingerprint="f0", pending_at_ns=1, value=503.0
    ... )
    >>> line = alert_line(change)
    >>> line[:62]
    '{"acknowledged_by":null,"contributions":{},"ends_at":null,"exp'
    >>> line[-81:]
    '"time":"1970-01-01T00:00:00.000000001Z","update":null,"upper":null,"value":503.0}'
    """
    times = {"time": change.time_ns, "pending_at": change.pending_at_ns}
    ends = {"starts_at": change.starts_at_ns, "ends_at": change.ends_at_ns}
    record: dict[str, object] = {
        name: None if at_ns is None else rfc3339(at_ns) for name, at_ns in (times | ends).items()
    }
    record |= {"state": change.state, "fingerprint": change.fingerprint, "summary": change.summary}
    record |= {"inhibited_by": change.inhibited_by or None, "silenced_by": list(change.silenced_by)}
    record |= {"update": change.update or None, "note": change.note or None}
    record |= {"acknowledged_by": change.acknowledged_by or None, "flapping": change.flapping}
    numbers = {name: getattr(change, name) for name in NUMBERS}  # NaN and infinity become null
    parts = {"labels": dict(change.labels), "contributions": dict(change.contributions)}
    return msgspec.json.encode(record | numbers | parts, order="sorted").decode()


def alert_text(change: AlertChange, symbols: Mapping[AlertState, str] = SYMBOLS) -> str:
    """The same for people: time (UTC), state, severity, name, and where and why; names cannot move the cursor.

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "severity": "error", "target": "http://127.0.0.1/a"}
    >>> print(alert_text(AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0)))
    00:00:00Z  ● firing    error     http_5xx               http://127.0.0.1/a
    """
    labels = change.labels
    about = " ".join(labels[name] for name in ("target", "metric") if labels.get(name))
    what = f"{labels.get('severity', ''):<8}  {labels.get('alertname', ''):<21}"
    clock = rfc3339(change.time_ns)[11:19]
    return printable(
        f"{clock}Z  {symbols[change.state]} {change.state:<8}  {what}  {about}  {_reason(change)}".rstrip()
    )


def _reason(change: AlertChange) -> str:
    reason = change.summary.removeprefix(f"{change.labels.get('target', '')}: ")  # the line has the target already
    marks = [f"inhibited by {change.inhibited_by}"] if change.inhibited_by else []
    marks += [_answer(change)] if change.update else []
    return f"{reason} ({'; '.join(marks)})" if marks else reason


def _answer(change: AlertChange) -> str:
    """What has changed of an alert whose state is the same."""
    match change.update:
        case "acknowledged":
            by = f"acknowledged by {change.acknowledged_by}"
            return f"{by}: {change.note}" if change.note else by
        case "comment":
            return f"comment: {change.note}"
        case "silenced":
            return f"silenced by {', '.join(change.silenced_by)}"
        case "severity":
            return f"severity is now {change.labels.get('severity', '')}"
        case "released":
            return "no longer inhibited"
        case "unsilenced":
            return "no longer silenced"
        case "flapping":
            return "flapping" if change.flapping else "no longer flapping"
        case _:
            return "acknowledgement taken back"


def symbols_for(encoding: str | None) -> Mapping[AlertState, str]:
    """The symbols that a terminal of this encoding can show.

    Examples
    --------
    >>> symbols_for("utf-8")["firing"], symbols_for("cp1252")["firing"], symbols_for(None)["firing"]
    ('●', '!', '!')
    """
    try:
        "".join(SYMBOLS.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN_SYMBOLS
    return SYMBOLS

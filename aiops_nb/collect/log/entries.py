"""Entries of a log: lines, and stack traces joined to the line that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_LINES = 200  # of one entry; further ones are counted and left out
_FOLLOWS = re.compile(
    r"Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames)|Traceback \(most recent call last\)|"
    r"During handling of the above|The above exception was|(?:[a-z_][\w$]*\.){1,10}[A-Z][\w$]*(?:Exception|Error)\b"
)
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:: |:?$)")
_GO = re.compile(r"goroutine \d+ |\[signal |created by |exit status |[\w./*()\[\]-]{1,300}\(.{0,500}\)$")
_GO_BEGINS = re.compile(r"panic: |fatal error: |goroutine \d+ \[")


class EntryJoiner:
    r"""Joins the lines of stack traces (Python, Java, Go, Node) and indented lines to the line before them.

    The last entry is held until a line comes that does not belong to it, or `flush` is called.

    Examples
    --------
    >>> joiner = EntryJoiner()
    >>> joiner.add(["boom", "Traceback (most recent call last):", "  File x", "ValueError: 3", "next"])
    ['boom\nTraceback (most recent call last):\n  File x\nValueError: 3']
    >>> joiner.flush()
    ['next']
    """

    def __init__(self) -> None:
        self.joined_total = 0
        self.left_out_total = 0
        self._held: list[str] = []
        self._trace = ""

    def add(self, lines: Iterable[str]) -> list[str]:
        """Take the next lines; the entries that they complete."""
        done: list[str] = []
        for line in lines:
            if self._held and self._continues(line):
                self._join(line)
                continue
            if self._held:
                done.append(self._taken())
            if line.strip():
                self._held = [line]
                self._trace = _trace_of(line)
        return done

    def flush(self) -> list[str]:
        """The entry that is held, if there is one."""
        return [self._taken()] if self._held else []

    def _taken(self) -> str:
        entry = "\n".join(self._held).rstrip()
        self._held, self._trace = [], ""
        return entry

    def _join(self, line: str) -> None:
        self.joined_total += 1
        if len(self._held) < MOST_LINES:
            self._held.append(line)
        else:
            self.left_out_total += 1

    def _continues(self, line: str) -> bool:
        if not line.strip():
            return self._trace != ""
        if line[0] in " \t":
            return True
        if _FOLLOWS.match(line):
            self._trace = _trace_of(line) or self._trace
            return True
        if self._trace == "python":  # the line after the frames names the exception
            self._trace = "raised"
            return _RAISED.match(line) is not None
        return self._trace == "go" and _GO.match(line) is not None


def _trace_of(line: str) -> str:
    if line.startswith("Traceback ("):
        return "python"
    return "go" if _GO_BEGINS.match(line) else ""

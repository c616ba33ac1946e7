"""Whole lines out of bytes that are cut anywhere."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from aiops_nb.core.errors import ConfigError

SHOWN_BYTES = 200


def check_line_limit(max_line_bytes: int) -> None:
    """Check how long a line may be.

    Examples
    --------
    >>> check_line_limit(0)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: max_line_bytes: expected a number >= 1, got 0
    """
    if max_line_bytes < 1:
        raise ConfigError.at("max_line_bytes", "a number >= 1", max_line_bytes)


class LineBuffer:
    r"""Joins what was cut: takes pieces, gives the lines that they complete, holds the rest.

    A byte order mark before the first line is removed.

    Parameters
    ----------
    max_line_bytes
        A longer line is skipped to its end, counted, and never held whole.
    is_inside_line
        Whether the first bytes are the end of a line whose beginning was never seen; they are skipped, not counted.
    on_too_long
        Is called with the beginning of each line that is skipped for its length.

    Examples
    --------
    >>> lines = LineBuffer()
    >>> lines.feed(b"one\ntw"), lines.feed(b"o\n"), lines.finish()
    (b'one\n', b'two\n', b'')
    """

    def __init__(
        self,
        *,
        max_line_bytes: int = 65_536,
        is_inside_line: bool = False,
        on_too_long: Callable[[bytes], None] | None = None,
    ) -> None:
        self.too_long_total = 0
        self._on_too_long = on_too_long
        self._max_line_bytes = max_line_bytes
        self._rest = bytearray()
        self._is_skipping = is_inside_line
        self._is_first = not is_inside_line

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; all lines that it completes, each with its end."""
        if self._is_skipping:
            data = self._after_line_end(data)
        end = data.rfind(b"\n") + 1
        whole = b""
        if end:
            whole = self._without_mark(bytes(self._rest) + data[:end])
            self._rest.clear()
        self._hold(data[end:])
        return self._short(whole)

    def finish(self) -> bytes:
        """The rest after the last line end, as a line; the buffer is empty then."""
        last = self._without_mark(bytes(self._rest) + b"\n") if self._rest else b""
        self._rest.clear()
        self._is_skipping = False
        return last

    def _without_mark(self, lines: bytes) -> bytes:
        is_first, self._is_first = self._is_first, False
        return lines.removeprefix(codecs.BOM_UTF8) if is_first else lines

    def _after_line_end(self, data: bytes) -> bytes:
        end = data.find(b"\n") + 1
        self._is_skipping = end == 0
        return data[end:] if end else b""

    def _short(self, lines: bytes) -> bytes:
        """Without the lines that are too long, by looks at every `max_line_bytes`-th place only."""
        kept: list[bytes] = []
        begin = place = 0
        while len(lines) - place > self._max_line_bytes:
            end = lines.rfind(b"\n", place, place + self._max_line_bytes + 1)
            if end < 0:
                end = lines.find(b"\n", place)
                kept.append(lines[begin:place])
                begin = end + 1
                self._skip(lines[place : place + SHOWN_BYTES])
            place = end + 1
        return b"".join([*kept, lines[begin:]]) if kept else lines

    def _hold(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > self._max_line_bytes:
            self._skip(bytes(self._rest[:SHOWN_BYTES]))
            self._rest.clear()
            self._is_skipping = True

    def _skip(self, beginning: bytes) -> None:
        self.too_long_total += 1
        if self._on_too_long is not None:
            self._on_too_long(beginning)

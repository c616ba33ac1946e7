"""libcurl through pycurl: works wherever pycurl does, and hands every piece of a body to Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import pycurl

from aiops_nb.collect.http.transfers.exchange import header_text

Option = tuple[int, int | str | bytes]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of a request but its URL."""

    options: tuple[Option, ...]
    header_lines: tuple[bytes, ...]
    max_body_bytes: int
    keeps_body: bool = False

    def __repr__(self) -> str:
        return f"Settings({len(self.options)} options, {len(self.header_lines)} header lines)"  # never what they hold


class CurlHandle(Protocol):
    """One libcurl easy handle, used by one thread at a time."""

    def ask(self, url: bytes, settings: Settings, is_closing: Callable[[], bool] | None) -> int:
        """Transfer once and return libcurl's code; `is_closing`, if given, is asked during a silent transfer."""
        ...

    @property
    def body(self) -> bytes | None:
        """The last body; None when it was not to be kept, or reading stopped at the limit."""
        ...

    @property
    def received_bytes(self) -> int | None:
        """Size of the last body; None when reading stopped at the limit."""
        ...

    @property
    def error_text(self) -> str:
        """Why the last transfer failed, in libcurl's words; empty if it did not."""
        ...

    def header_values(self, name: str) -> list[str]:
        """The values of a header of the last reply, by its lower-case name; interim replies (1xx) do not count."""
        ...

    def getinfo(self, info: int) -> Any:
        """What libcurl says of the last transfer."""
        ...

    def close(self) -> None:
        """Release the handle and its connection."""
        ...


class PycurlHandle:
    """A handle of pycurl; the body is counted in Python."""

    def __init__(self) -> None:
        self._curl = pycurl.Curl()
        self._received_bytes = 0
        self._max_body_bytes = 0
        self._kept: bytearray | None = None
        self._fields: list[tuple[str, str]] = []
        self._is_head = False

    def ask(self, url: bytes, settings: Settings, is_closing: Callable[[], bool] | None) -> int:
        """Transfer once; see `CurlHandle`."""
        self._kept = bytearray() if settings.keeps_body else None
        self._received_bytes, self._max_body_bytes = 0, settings.max_body_bytes
        self._curl.reset()
        self._curl.setopt(pycurl.URL, url)
        for option, value in settings.options:
            self._curl.setopt(option, value)
        self._curl.setopt(pycurl.HTTPHEADER, list(settings.header_lines))
        self._curl.setopt(pycurl.WRITEFUNCTION, self._count)
        self._fields, self._is_head = [], False
        self._curl.setopt(pycurl.HEADERFUNCTION, self._note)
        if is_closing is not None:
            self._curl.setopt(pycurl.NOPROGRESS, 0)
            self._curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: int(is_closing()))
        return self._perform()

    def _perform(self) -> int:
        try:
            self._curl.perform()
        except pycurl.error as problem:
            return 0 if self.received_bytes is None else int(problem.args[0])
        return 0

    def _note(self, line: bytes) -> None:
        """Keep a line of the head; each reply begins again, and trailers come after the empty line."""
        if line.startswith(b"HTTP/"):
            self._fields, self._is_head = [], True
        elif not line.strip():
            self._is_head = False
        elif self._is_head:
            name, _, value = header_text(line).partition(":")
            self._fields.append((name.strip().lower(), value.strip()))

    def header_values(self, name: str) -> list[str]:
        """The values of a header of the last reply, by its lower-case name."""
        return [value for known, value in self._fields if known == name]

    def _count(self, piece: bytes) -> int:
        self._received_bytes += len(piece)
        if self.received_bytes is None:
            return 0
        if self._kept is not None:
            self._kept += piece
        return len(piece)

    @property
    def body(self) -> bytes | None:
        """The last body; None when it was not to be kept, or reading stopped at the limit."""
        return None if self._kept is None or self.received_bytes is None else bytes(self._kept)

    @property
    def received_bytes(self) -> int | None:
        """Size of the last body; None when reading stopped at the limit."""
        return None if self._received_bytes > self._max_body_bytes else self._received_bytes

    @property
    def error_text(self) -> str:
        """Why the last transfer failed, in libcurl's words; empty if it did not."""
        return str(self._curl.errstr())

    def getinfo(self, info: int) -> Any:
        """What libcurl says of the last transfer."""
        return self._curl.getinfo(info)

    def close(self) -> None:
        """Release the handle and its connection."""
        self._curl.close()

"""The body of a reply as text or JSON: decompressed, and decoded by its byte order mark or charset."""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any

import msgspec
import pyarrow as pa

MAX_DECODED_BYTES = 1_000_000
_GZIP_OR_ZLIB, _RAW = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS
_MARKS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Names that Python knows as encodings of text and that no page is written in; some take quadratic time.
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "utf-7"}


class BodyError(ValueError):
    """A body that cannot be read: what was found instead, without any of its text."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    r"""A body as it was sent, and the headers that say how to read it.

    Examples
    --------
    >>> Body(raw=b"caf\xe9", content_type="text/plain; charset=iso-8859-1").text()
    'café'
    """

    raw: bytes
    content_type: str = ""
    content_encoding: str = ""

    def content(self) -> bytes:
        """The decompressed bytes.

        Raises
        ------
        BodyError
            If they are more than 1 MB, damaged, or compressed in a way that is not known.
        """
        content = self.raw
        names = [name.strip().lower() for name in self.content_encoding.split(",")]
        for name in reversed([name for name in names if name not in ("", "identity")]):
            content = _decompressed(content, name)
        return content

    def text(self) -> str:
        """The text: by its byte order mark, else by the charset of `Content-Type`, else UTF-8.

        Raises
        ------
        BodyError
            As `content` does.
        """
        content = self.content()
        for mark, name in _MARKS:
            if content.startswith(mark):
                return content[len(mark) :].decode(name, "replace")
        return content.decode(self.charset or "utf-8", "replace")

    def parsed(self) -> Any:
        """The JSON in it.

        Raises
        ------
        BodyError
            If it is not JSON, or as `content` does.
        """
        content = self.content()
        has_mark = any(content.startswith(mark) for mark, _ in _MARKS)
        encoding = "utf-8" if has_mark else json.detect_encoding(content)  # UTF-16 and UTF-32 have zero bytes
        text = self.text() if encoding == "utf-8" else content.decode(encoding, "replace")
        try:
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise BodyError("no JSON") from None

    @property
    def charset(self) -> str | None:
        """The charset of `Content-Type`, if Python knows it as one of text."""
        header = Message()
        header["Content-Type"] = self.content_type.replace("\r", " ").replace("\n", " ")
        name = header.get_param("charset")
        if not isinstance(name, str):
            return None
        try:
            known = codecs.lookup(name.strip("'\" ").lower())
        except (LookupError, ValueError):
            return None
        is_text = getattr(known, "_is_text_encoding", True) and known.name not in _NO_CHARSETS
        return known.name if is_text else None


def _decompressed(data: bytes, name: str) -> bytes:
    decompress = _DECOMPRESSORS.get(name)
    if decompress is None:
        raise BodyError(f"a body compressed by {name[:20]!r}, which is not supported")
    return decompress(data) if data else data


def _gunzipped(data: bytes) -> bytes:
    """All members of a gzip file; what follows the last is ignored, as browsers do."""
    content = b""
    while data[:2] == b"\x1f\x8b" or not content:
        piece, data = _inflated(data, _GZIP_OR_ZLIB)
        content = _bounded(content + piece)
        if not data:
            break
    return content


def _deflated(data: bytes) -> bytes:
    """In the zlib format as the standard says, or raw as some servers send it."""
    try:
        return _inflated(data, _GZIP_OR_ZLIB)[0]
    except BodyError as problem:
        try:
            return _inflated(data, _RAW)[0]
        except BodyError:
            raise problem from None


def _inflated(data: bytes, window_bits: int) -> tuple[bytes, bytes]:
    decompressor = zlib.decompressobj(window_bits)
    try:
        content = decompressor.decompress(data, MAX_DECODED_BYTES + 1)
    except zlib.error:
        raise BodyError("a damaged compressed body") from None
    content = _bounded(content)
    if not decompressor.eof:
        raise BodyError("a compressed body that is cut short")
    return content, decompressor.unused_data


def _by_arrow(codec: str) -> Callable[[bytes], bytes]:
    """By the codecs that Arrow brings, which read no further than they are asked to."""

    def decompress(data: bytes) -> bytes:
        try:
            with pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
                return _bounded(stream.read(MAX_DECODED_BYTES + 1))
        except OSError as problem:
            is_cut = "runcated" in str(problem)
            raise BodyError("a compressed body that is cut short" if is_cut else "a damaged compressed body") from None

    return decompress


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_DECODED_BYTES:
        raise BodyError(f"a body of more than {MAX_DECODED_BYTES:,} bytes when decompressed")
    return content


_DECOMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _deflated,
    "br": _by_arrow("brotli"),
    "zstd": _by_arrow("zstd"),
}

"""Messages of a feed to lines: an object is a line, an array is a line for each of its elements."""

from __future__ import annotations

import msgspec

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def message_lines(message: bytes) -> bytes:
    r"""The lines of one message, each with its end; one that is neither object nor array is a line as it is.

    Examples
    --------
    >>> message_lines(b'{\n "a": 1}'), message_lines(b'[{"a": 1}, {"a": 2}]'), message_lines(b"[{")
    (b'{  "a": 1}\n', b'{"a": 1}\n{"a": 2}\n', b'[{\n')
    """
    if message.lstrip()[:1] != b"[":
        return _line(message)
    try:
        return b"".join(_line(bytes(element)) for element in _ARRAY.decode(message))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _line(message)


def _line(text: bytes) -> bytes:
    """A line end in JSON is a space like another: strings hold none."""
    return text.replace(b"\n", b" ") + b"\n"

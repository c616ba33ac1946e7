"""The key of a line: its text with each number and identifier cut down to one character.

Lines that differ in numbers alone have the same key, so that almost every line is found in a dictionary. The key
decides the template: whatever is masked later is masked by the key.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.types import BoolArray, Int32Array, IntArray

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
MOST_DIGITS_OF_A_NAME = 2  # `ssh2`, `tty12`, `Slf4jLogger` are words; `blk1743`, `a64f992` are identifiers
NUMBER = ord("0")  # what a number or an identifier is in a key
_SPACE, _UNDERSCORE = ord(" "), ord("_")


def line_keys(texts: pa.StringArray) -> pa.StringArray:
    r"""Key of the first line of each text.

    A run of letters, digits and `_` becomes `0` if it begins with a digit, has a digit after a `_`, or has three
    digits or more. Control characters become spaces.

    Parameters
    ----------
    texts
        Lines, (rows,), without nulls. Of several lines the first counts.

    Returns
    -------
    StringArray
        Keys, (rows,).

    Examples
    --------
    >>> line_keys(pa.array(["took 35 ms for blk_-17 of a64f992", "sshd[17]: ssh2\n  at main"])).to_pylist()
    ['took 0 ms for blk_-0 of 0', 'sshd[0]: ssh2']
    """
    offsets, raw = _contiguous(texts)
    if not len(raw):
        return texts
    if raw.min() < _SPACE:
        if (raw == ord("\n")).any():
            return line_keys(pc.replace_substring_regex(texts, r"(?s)\n.*", ""))
        raw = np.where(raw < _SPACE, np.uint8(_SPACE), raw)
    begins, is_word = _segments(raw, offsets)
    is_number = is_word & _is_number(raw, begins)
    return _shortened(raw, offsets, begins, is_number)


def _contiguous(texts: pa.StringArray) -> tuple[Int32Array, Bytes]:
    """Offsets from 0, (rows + 1,), and the bytes."""
    _, offset_buffer, data = texts.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    raw = np.frombuffer(data, np.uint8)[first:last] if data is not None else np.zeros(0, np.uint8)
    return offsets - first, raw


def _word_bytes() -> BoolArray:
    """By byte: letters, digits, `_`, and all of what is not ASCII, so that no character is cut."""
    is_word = np.zeros(256, np.bool_)
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_":
        is_word[byte] = True
    is_word[128:] = True
    return is_word


_IS_WORD = _word_bytes()


def _segments(raw: Bytes, offsets: Int32Array) -> tuple[IntArray, BoolArray]:
    """Where runs of word bytes and of other bytes begin, none longer than its line; and which are of word bytes."""
    word = _IS_WORD[raw]
    changes = np.empty(len(raw), np.bool_)
    changes[0] = True
    np.not_equal(word[1:], word[:-1], out=changes[1:])
    changes[offsets[:-1][offsets[:-1] < len(raw)]] = True
    begins = np.flatnonzero(changes)
    return begins, word[begins]


def _is_number(raw: Bytes, begins: IntArray) -> BoolArray:
    """Which segments have the digits of a number or an identifier."""
    digit = (raw - np.uint8(NUMBER)) < 10
    weight = digit.view(np.uint8).copy()
    after_underscore = digit[1:] & (raw[:-1] == _UNDERSCORE)
    weight[1:][after_underscore] = MOST_DIGITS_OF_A_NAME + 1
    digits = np.add.reduceat(weight, begins, dtype=np.int32)
    is_number: BoolArray = digit[begins] | (digits > MOST_DIGITS_OF_A_NAME)
    return is_number


def _shortened(raw: Bytes, offsets: Int32Array, begins: IntArray, is_number: BoolArray) -> pa.StringArray:
    lengths = np.diff(begins, append=len(raw))
    kept = np.repeat(~is_number, lengths)
    numbers = begins[is_number]
    kept[numbers] = True
    marked = raw.copy()
    marked[numbers] = NUMBER
    ends = np.concatenate([[0], np.cumsum(np.where(is_number, 1, lengths))]).astype(np.int32)
    new_offsets = ends[np.searchsorted(begins, offsets)]
    buffers = [None, pa.py_buffer(new_offsets), pa.py_buffer(marked[kept])]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)

"""Addresses of IPv4 from whole columns of text at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aiops_nb.core.types import BoolArray, IntArray

ByteArray = npt.NDArray[np.uint8]
LongArray = npt.NDArray[np.uint64]
_DOT, _ZERO = ord("."), ord("0")
_AHEAD = 3  # bytes that stand before all texts, as many as an octet has


def ipv4_addresses(texts: pa.Array) -> tuple[LongArray, BoolArray]:
    """Numbers of what is an address in its usual form, and where it is one, each (n,); 0 elsewhere.

    Examples
    --------
    >>> address, known = ipv4_addresses(pa.array(["0.0.1.2", "0.0.0.256", "host", None, "010.0.0.1"]))
    >>> address.tolist(), known.tolist()
    ([258, 0, 0, 0, 0], [True, False, False, False, False])
    """
    bounds, letters = _bytes_of(texts)
    dots = np.flatnonzero(letters == _DOT)
    addresses, known = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.bool_)
    rows, edges = _edges(bounds, dots)
    addresses[rows], known[rows] = _octets(letters, edges)
    return addresses, known


def _bytes_of(texts: pa.Array) -> tuple[IntArray, ByteArray]:
    """Where each text begins, and the last ends, (n + 1,), in the bytes of all."""
    _, offsets, data = texts.cast(pa.string()).buffers()
    if offsets is None or not len(texts):
        return np.full(len(texts) + 1, _AHEAD), np.zeros(_AHEAD, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    letters = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
    return bounds + (_AHEAD - bounds[0]), np.concatenate([np.zeros(_AHEAD, np.uint8), letters])


def _edges(bounds: IntArray, dots: IntArray) -> tuple[IntArray | slice, IntArray]:
    """Texts with three dots, and what lies around their octets: the byte before, three dots, the end; (5, texts)."""
    starts, ends = bounds[:-1], bounds[1:]
    if len(dots) == 3 * len(starts) and (dots[::3] >= starts).all() and (dots[2::3] < ends).all():
        return slice(None), np.stack([starts - 1, dots[::3], dots[1::3], dots[2::3], ends])
    first = np.searchsorted(dots, bounds)
    rows = np.flatnonzero(np.diff(first) == 3)
    first = first[rows]
    return rows, np.stack([starts[rows] - 1, dots[first], dots[first + 1], dots[first + 2], ends[rows]])


def _octets(letters: ByteArray, edges: IntArray) -> tuple[LongArray, BoolArray]:
    """Addresses, and where there are four octets of 0 to 255 without leading zeros."""
    length, ends = np.minimum(np.diff(edges, axis=0) - 1, 4).astype(np.uint8), edges[1:]
    two, three = length >= 2, length >= 3
    ones, tens, hundreds = (letters.take(ends - place) - np.uint8(_ZERO) for place in (1, 2, 3))
    tens *= two
    hundreds *= three
    values = hundreds * np.uint16(100)
    values += tens * np.uint16(10)
    values += ones
    known = (ones <= 9) & (tens <= 9) & (hundreds <= 9) & (length >= 1) & (length <= 3) & (values <= 255)
    known &= (values >= 10) | ~two
    known &= (values >= 100) | ~three
    valid = known.all(axis=0)
    high, low = values[0] << np.uint16(8) | values[1], values[2] << np.uint16(8) | values[3]
    return np.where(valid, high.astype(np.uint64) << np.uint64(16) | low, np.uint64(0)), valid

"""Columns of text as status, size, duration and client; null where the server had nothing to log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.keys import DURATION_FIELDS, DURATION_UNITS
from aiops_nb.core.types import BoolArray

_NULL = pa.scalar(None, pa.binary())
_WHOLE = r"^[0-9]{1,18}$"
_STATUS = r"^[1-9][0-9]{2}$"
_FRACTION = r"^[0-9]{1,12}(?:\.[0-9]{0,12})?(?:[eE]-?[0-9]{1,2})?$"
_NO_STATUS = r"^(?:-?0+|-[0-9]+)(?:\.0*)?$"
_NEGATIVE = r"^-[0-9.]+(?:[eE]-?[0-9]{1,2})?$"
_ABSENT = (b"-", b"", b"null", b"None", b"nil", b"undefined")
_UNIT_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ns|us|µs|μs|ms|s|m|h)")
_SECONDS_OF = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_DURATION_BYTES = 40


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds, which of them are no numbers, and of which the unit is not known, all (n,)."""

    seconds: pa.Array
    bad: BoolArray
    without_unit: BoolArray


def known(column: pa.Array) -> pa.Array:
    """With null where the server had nothing to log."""
    absent = pc.or_(pc.equal(column, b"-"), pc.equal(pc.binary_length(column), 0))
    return pc.if_else(absent, _NULL, column)


def text(column: pa.Array) -> pa.Array:
    """As strings; what is no UTF-8 is replaced."""
    present = known(column)
    try:
        return present.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in present.to_pylist()], pa.string())


def status(column: pa.Array | None, rows: int) -> tuple[pa.Array, BoolArray]:
    """Status codes, and where the value is not valid, (n,); 0, -1 and - are null."""
    return _number(column, _STATUS, _NO_STATUS, pa.int16(), rows)


def size(column: pa.Array | None, rows: int) -> tuple[pa.Array, BoolArray]:
    """Bytes, and where something else is, (n,)."""
    return _number(column, _WHOLE, _NEGATIVE, pa.int64(), rows)


def _number(column: pa.Array | None, form: str, none: str, kind: pa.DataType, rows: int) -> tuple[pa.Array, BoolArray]:
    """Numbers, null where nothing was logged, and where something else is, (n,)."""
    if column is None:
        return pa.nulls(rows, kind), np.zeros(rows, np.bool_)
    column = known(column)
    fits = pc.match_substring_regex(column, form)
    bad: BoolArray = pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)
    if bad.any():
        column = _repaired(column, none)
        fits = pc.match_substring_regex(column, form)
        bad = pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)
        column = pc.if_else(fits, column, _NULL)
    return column.cast(pa.string()).cast(kind), bad


def _repaired(column: pa.Array, none: str) -> pa.Array:
    """502.0 as 502, and null for words that mean null."""
    column = pc.replace_substring_regex(column, r"^ *(-?[0-9]+)(?:\.0*)? *$", r"\1")
    absent = pc.or_(pc.match_substring_regex(column, none), pc.is_in(column, pa.array(_ABSENT)))
    return pc.if_else(absent, _NULL, column)


def durations(columns: Mapping[str, pa.Array], rows: int, unit: str | None) -> Durations:
    """Durations of the first field that there is, null where another is not known."""
    names = [*DURATION_FIELDS, "request_time", "duration"]
    result = Durations(pa.nulls(rows, pa.float64()), np.zeros(rows, np.bool_), np.zeros(rows, np.bool_))
    for name in names:
        if name not in columns:
            continue
        one = _durations(name, columns[name], unit)
        if result.seconds.null_count == rows and not result.bad.any():
            result = one
        else:
            is_open = result.seconds.is_null().to_numpy(zero_copy_only=False)
            result = Durations(
                pc.coalesce(result.seconds, one.seconds), result.bad, result.without_unit | (one.without_unit & is_open)
            )
    return result


def _durations(name: str, column: pa.Array, unit: str | None) -> Durations:
    column = known(column)
    fits = pc.match_substring_regex(column, _FRACTION)
    bad: BoolArray = pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)
    numbers = column
    if bad.any():
        numbers = pc.if_else(fits, column, _NULL)
    seconds = numbers.cast(pa.string()).cast(pa.float64())
    without_unit = np.zeros(len(column), np.bool_)
    in_a_second = DURATION_FIELDS.get(name) or (DURATION_UNITS[unit] if unit else None)
    if in_a_second is None:
        without_unit = _without_unit(name, numbers, seconds)
        seconds = pc.if_else(pa.array(without_unit), pa.scalar(None, pa.float64()), seconds)
        in_a_second = 1.0
    if in_a_second != 1.0:
        seconds = pc.divide(seconds, in_a_second)
    if bad.any():
        seconds, bad = _with_words(column, bad, seconds)
    return Durations(seconds, bad, without_unit)


def _without_unit(name: str, numbers: pa.Array, seconds: pa.Array) -> BoolArray:
    """Which numbers may be of any unit: not 0, and not a fraction with nginx's name, which is in seconds."""
    unclear = pc.not_equal(seconds, 0.0)
    if name == "request_time":
        unclear = pc.and_(unclear, pc.invert(pc.match_substring(numbers, b".")))
    found: BoolArray = unclear.fill_null(False).to_numpy(zero_copy_only=False)
    return found


def _with_words(column: pa.Array, bad: BoolArray, seconds: pa.Array) -> tuple[pa.Array, BoolArray]:
    """With durations such as 12.3ms or 1m2.5s, and null for -1 and other words for nothing."""
    values = np.array(seconds.to_numpy(zero_copy_only=False), np.float64)
    bad = bad.copy()
    for place in np.flatnonzero(bad).tolist():
        words = column[place].as_py()
        value = _seconds_of(words)
        if value is not None:
            values[place] = value
            bad[place] = False
    return pa.array(values, from_pandas=True), bad


def _seconds_of(written: bytes) -> float | None:
    """Seconds of a duration in words, NaN for null, None if it is something else."""
    if len(written) > _MAX_DURATION_BYTES:
        return None
    words = written.decode("utf-8", "replace").strip()
    if words.encode() in _ABSENT or re.fullmatch(_NEGATIVE[1:-1], words):
        return float("nan")
    if not re.fullmatch(f"(?:{_UNIT_PART.pattern} ?)+", words):
        return None
    return sum(float(number) * _SECONDS_OF[unit] for number, unit in _UNIT_PART.findall(words))


def clients(column: pa.Array) -> pa.Array:
    """Addresses: the first of a list, without port and brackets, IPv4 in its own form."""
    data = column.buffers()[2]
    raw = b"" if data is None else data.to_pybytes()
    if b"," in raw:
        column = pc.replace_substring_regex(column, r"^ *([^, ]*) *,.*$", r"\1")
    if b":" in raw:
        column = pc.replace_substring_regex(column, r"^([0-9.]+):[0-9]+$", r"\1")
        column = pc.replace_substring_regex(column, r"^(?:\[)?::ffff:([0-9.]+)\]?(?::[0-9]+)?$", r"\1")
    if b"[" in raw:
        column = pc.replace_substring_regex(column, r"^\[([0-9a-fA-F:.]+)(?:%[^\]]*)?\](?::[0-9]+)?$", r"\1")
    return text(column)

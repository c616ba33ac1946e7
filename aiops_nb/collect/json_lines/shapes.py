"""The kinds of JSON lines that are read: our own schemas by their column names, and the events of an older tool.

Times are RFC 3339 (without an offset: UTC) or seconds since 1970. Durations are seconds, or what the name says
(`duration_ms`); sizes are bytes.
"""

from __future__ import annotations

import datetime
from collections.abc import Container, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, TypeAlias, cast

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from aiops_nb.core.schemas import TABLES, TIME, Column, ErrorType, Origin, TableName, make_batch
from aiops_nb.core.types import BoolArray, FloatArray, IntArray

Time: TypeAlias = float | datetime.datetime
_Status: TypeAlias = Annotated[int, msgspec.Meta(ge=100, le=999)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
_Bytes: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_MAX_SECONDS = 9.2e9  # the year 2261; int64 nanoseconds end in 2262


class RequestLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A request with the most frequent fields and no other: the fast path."""

    time: Time
    target: str
    method: str | None = None
    status_code: _Status | None = None
    duration_seconds: _Seconds | None = None
    error_type: ErrorType | None = None
    client_ip: str | None = None
    response_bytes: _Bytes | None = None


class FullRequestLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A request with any field of the schema; a sample is refused."""

    time: Time
    target: str
    origin: Origin = "traffic"
    method: str | None = None
    status_code: _Status | None = None
    duration_seconds: _Seconds | None = None
    error_type: ErrorType | None = None
    client_ip: str | None = None
    response_bytes: _Bytes | None = None
    resolve_seconds: _Seconds | None = None
    connect_seconds: _Seconds | None = None
    tls_seconds: _Seconds | None = None
    wait_seconds: _Seconds | None = None
    transfer_seconds: _Seconds | None = None
    certificate_expires: Time | None = None
    error_detail: str | None = None
    duration_ms: _Seconds | None = None
    duration_us: _Seconds | None = None
    duration_ns: _Seconds | None = None
    metric: msgspec.UnsetType = msgspec.UNSET


class SampleLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One value of one metric."""

    time: Time
    target: str
    metric: str
    value: float


class EventLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An event of the older tool: times without zone are UTC, or seconds since 1970; milliseconds, percent."""

    timestamp: Time
    endpoint: str
    status_code: _Status | None = None
    response_time: _Seconds | None = None
    cpu_usage: float | None = None
    memory_usage: float | None = None
    ip: str | None = None
    method: str | None = None


class OpenRequestLine(FullRequestLine, gc=False, forbid_unknown_fields=False):
    """A request that has other fields too."""

    extra: Any = None  # filled in afterwards; what a sender calls so is an unknown field


class OpenSampleLine(SampleLine, gc=False, forbid_unknown_fields=False):
    """A sample that has other fields too."""

    extra: Any = None  # filled in afterwards; what a sender calls so is an unknown field


class OpenEventLine(EventLine, gc=False, forbid_unknown_fields=False):
    """An event that has other fields too."""

    extra: Any = None  # filled in afterwards; what a sender calls so is an unknown field


OpenLine: TypeAlias = OpenRequestLine | OpenSampleLine | OpenEventLine
Line: TypeAlias = RequestLine | FullRequestLine | SampleLine | EventLine


def tables_of(line: Line) -> tuple[TableName, ...]:
    """The tables that get rows from a line."""
    if isinstance(line, EventLine):
        return ("requests", "samples")
    return ("samples",) if isinstance(line, SampleLine) else ("requests",)


def line_times(lines: Sequence[Line]) -> list[Time]:
    """When each happened, as it was written; lines of one class."""
    return list(map(attrgetter("timestamp" if isinstance(lines[0], EventLine) else "time"), lines))


def times_ns(times: Sequence[Time]) -> tuple[IntArray, BoolArray]:
    """Nanoseconds since 1970 and which of them can be (years 1970 to 2261), both (n,).

    Seconds are rounded to the microsecond: a float64 of today holds no more.

    Examples
    --------
    >>> times, valid = times_ns([1.000001, datetime.datetime(1970, 1, 1, 0, 0, 2), 1.78e12])
    >>> times.tolist(), valid.tolist()
    ([1000001000, 2000000000, 0], [True, True, False])
    """
    seconds = _seconds(times)
    valid: BoolArray = (seconds >= 0) & (seconds < _MAX_SECONDS)
    return np.rint(np.where(valid, seconds, 0.0) * 1e6).astype(np.int64) * 1000, valid


def _seconds(times: Sequence[Time]) -> FloatArray:
    with suppress(TypeError):  # a datetime is no number; to look at each first costs more than all the rest
        return np.array(times, np.float64)
    if set(map(type, times)) == {datetime.datetime}:
        micros = pa.array(times, pa.timestamp("us", "UTC")).cast(pa.int64())
        return np.asarray(micros.to_numpy() / 1e6)
    return np.concatenate([_seconds([time]) for time in times])


def line_batches(source: str, host_label: str, time_ns: IntArray, lines: Sequence[Line]) -> list[pa.RecordBatch]:
    """Batches of at least one line, all of one class; `host` is the target of samples that events carry."""
    if isinstance(lines[0], EventLine):
        return _event_batches(source, host_label, time_ns, cast("Sequence[EventLine]", lines))
    return [_batch("samples" if isinstance(lines[0], SampleLine) else "requests", source, time_ns, lines)]


def shape_of(line: bytes) -> type[Line]:
    """Which class a line seems to be meant as.

    Examples
    --------
    >>> shape_of(b'{"metric": "cpu_ratio"').__name__, shape_of(b"?").__name__
    ('SampleLine', 'FullRequestLine')
    """
    if b'"metric"' in line:
        return SampleLine
    return EventLine if b'"timestamp"' in line else FullRequestLine


def open_shape_of(names: Container[str]) -> type[OpenLine]:
    """Which class a line with these fields is of, whatever else it has.

    Examples
    --------
    >>> open_shape_of({"time", "target", "timestamp"}).__name__, open_shape_of({"timestamp"}).__name__
    ('OpenRequestLine', 'OpenEventLine')
    """
    if "metric" in names:
        return OpenSampleLine
    is_event = "timestamp" in names and ("endpoint" in names or "time" not in names)
    return OpenEventLine if is_event else OpenRequestLine


@cache
def known_names(shape: type[OpenLine]) -> frozenset[str]:
    """The fields that a class has columns for."""
    return frozenset(shape.__struct_fields__) - {"extra"}


def _batch(table: TableName, source: str, time_ns: IntArray, lines: Sequence[Line]) -> pa.RecordBatch:
    is_frequent = type(lines[0]) is RequestLine
    columns = _frequent_columns(cast("Sequence[RequestLine]", lines)) if is_frequent else _all_columns(table, lines)
    if table == "requests":
        columns = {"origin": "traffic", **columns}
    if isinstance(lines[0], FullRequestLine):
        columns["duration_seconds"] = _durations(cast("Sequence[FullRequestLine]", lines))
    if "certificate_expires" in columns:
        columns["certificate_expires"] = _expiries(cast("Sequence[Time | None]", columns["certificate_expires"]))
    return make_batch(table, source, columns | {"time": time_ns})


def _all_columns(table: TableName, lines: Sequence[Line]) -> dict[str, Column]:
    fields = zip(type(lines[0]).__struct_fields__, zip(*map(astuple, lines), strict=True), strict=True)
    return {name: values for name, values in fields if name in TABLES[table].names}


def _durations(lines: Sequence[FullRequestLine]) -> list[float | None]:
    """Seconds, of the first of the names that a line has."""
    return [line.duration_seconds if line.duration_seconds is not None else _seconds_of(line) for line in lines]


def _seconds_of(line: FullRequestLine) -> float | None:
    for value, in_a_second in ((line.duration_ms, 1e3), (line.duration_us, 1e6), (line.duration_ns, 1e9)):
        if value is not None:
            return value / in_a_second
    return None


def _frequent_columns(lines: Sequence[RequestLine]) -> dict[str, Column]:
    # Written out: half the time of any loop over names, and no tuple for each line that the garbage collector minds.
    return {
        "target": [line.target for line in lines],
        "method": [line.method for line in lines],
        "status_code": [line.status_code for line in lines],
        "duration_seconds": [line.duration_seconds for line in lines],
        "error_type": [line.error_type for line in lines],
        "client_ip": [line.client_ip for line in lines],
        "response_bytes": [line.response_bytes for line in lines],
    }


def _expiries(times: Sequence[Time | None]) -> pa.Array:
    """Null where it is not known, or beyond what a column can say."""
    known = np.array([time is not None for time in times], np.bool_)
    values = np.zeros(len(times), np.int64)
    if known.any():
        values[known], valid = times_ns([time for time in times if time is not None])
        known[known] = valid
    return pa.array(values, mask=~known).cast(TIME)


def _event_batches(source: str, host_label: str, time_ns: IntArray, lines: Sequence[EventLine]) -> list[pa.RecordBatch]:
    requests = make_batch(
        "requests",
        source,
        {
            "time": time_ns,
            "origin": "traffic",
            "target": [line.endpoint for line in lines],
            "method": [line.method for line in lines],
            "status_code": [line.status_code for line in lines],
            "duration_seconds": np.array([line.response_time for line in lines], np.float64) / 1000,
            "client_ip": [line.ip for line in lines],
            "extra": [getattr(line, "extra", None) for line in lines],
        },
    )
    samples = _event_samples(source, host_label, time_ns, lines)
    return [requests, samples] if samples.num_rows else [requests]


def _event_samples(source: str, host_label: str, time_ns: IntArray, lines: Sequence[EventLine]) -> pa.RecordBatch:
    percent = np.array([[line.cpu_usage, line.memory_usage] for line in lines], np.float64).ravel()
    known = ~np.isnan(percent)
    metric = np.tile(np.array([0, 1], np.int32), len(lines))[known]
    metrics = pa.DictionaryArray.from_arrays(metric, pa.array(["cpu_ratio", "memory_ratio"]))
    columns: dict[str, Column] = {"target": host_label, "metric": metrics, "value": percent[known] / 100}
    return make_batch("samples", source, columns | {"time": np.repeat(time_ns, 2)[known]})

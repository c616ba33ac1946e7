"""Columns of text -> columns of requests, and which of the rows cannot be used for which reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log import values
from aiops_nb.collect.access_log.keys import DURATION_FIELDS, UNITLESS_FIELDS
from aiops_nb.collect.access_log.pattern import METHOD, REQUEST
from aiops_nb.collect.access_log.times import UNKNOWN_NS, LogTimes
from aiops_nb.core.schemas import ERROR_TYPES, Column
from aiops_nb.core.types import BoolArray, IntArray

_NS_PER_SECOND = 1e9
_MAX_BEGUN_SECONDS = 1e6
# A line that has none of them says nothing of a request.
REQUEST_FIELDS = ("status_code", "path", "method", "request", "target", *DURATION_FIELDS, *UNITLESS_FIELDS)


@dataclass(frozen=True, slots=True)
class Rows:
    """Requests without their targets, (n,).

    Attributes
    ----------
    columns
        By the names of the schema; `path` and `named_target` are the target's makings, bytes.
    reasons
        Which rows cannot be used, by reason; a row is counted for the first.
    without_unit
        Which have a duration whose unit is not known.
    """

    columns: dict[str, Column]
    path: pa.Array
    named_target: pa.Array | None
    reasons: Mapping[str, BoolArray]
    without_unit: BoolArray

    def good(self) -> BoolArray:
        """The rows that no reason speaks against."""
        bad = [*self.reasons.values()]
        return ~np.logical_or.reduce(bad) if bad else np.ones(len(self.path), np.bool_)


def rows_of(
    columns: Mapping[str, pa.Array], rows: int, times: LogTimes, unit: str | None, stamp_ns: int | None = None
) -> Rows:
    """Make requests of columns of text.

    Parameters
    ----------
    columns
        By field, (n,) each.
    rows
        n.
    times
        Reads the times.
    unit
        Of durations whose name says none.
    stamp_ns
        The time of lines that have none, UTC ns.
    """
    columns = _with_request(columns, rows)
    durations = values.durations(columns, rows, unit)
    time_ns = _times(columns, rows, times, durations.seconds, stamp_ns)
    status, bad_status = values.status(columns.get("status_code"), rows)
    size, bad_size = values.size(columns.get("response_bytes"), rows)
    unknown = pa.nulls(rows, pa.binary())
    return Rows(
        columns={
            "time": time_ns,
            "origin": "traffic",
            "method": values.text(columns["method"]).dictionary_encode(),
            "status_code": status,
            "duration_seconds": durations.seconds,
            "client_ip": values.clients(columns.get("client_ip", unknown)),
            "response_bytes": size,
            "error_type": _error_types(columns.get("error_type")),
            "extra": columns.get("extra"),
        },
        path=columns["path"],
        named_target=columns.get("target"),
        reasons={
            "no_known_field": _says_nothing(columns, rows),
            "time_not_understood": time_ns == UNKNOWN_NS,
            "status_out_of_range": bad_status,
            "not_a_number": durations.bad | bad_size,
        },
        without_unit=durations.without_unit,
    )


def _with_request(columns: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    """With method and path, from the request line if they were not logged apart."""
    whole = dict(columns)
    request = whole.get("request")
    if request is not None:
        parts = pc.extract_regex(request, f"^{REQUEST}$")
        for name in ("method", "path"):
            apart = whole.get(name)
            whole[name] = parts.field(name) if apart is None else pc.coalesce(apart, parts.field(name))
    if "extra" in whole and "path" in whole:  # some loggers write the request line there
        whole["path"] = pc.replace_substring_regex(whole["path"], f"^{METHOD} ([^ ]+) HTTP/[0-9.]+$", r"\1")
    unknown = pa.nulls(rows, pa.binary())
    return {**whole, "method": whole.get("method", unknown), "path": whole.get("path", unknown).fill_null(b"")}


def _says_nothing(columns: Mapping[str, pa.Array], rows: int) -> BoolArray:
    """Which rows have no field but a time, (n,): JSON of something else."""
    if "extra" not in columns:
        return np.zeros(rows, np.bool_)
    nothing = np.ones(rows, np.bool_)
    for name in REQUEST_FIELDS:
        column = columns.get(name)
        if column is not None:
            given = pc.greater(pc.binary_length(column), 0).fill_null(False)
            nothing &= ~given.to_numpy(zero_copy_only=False)
    return nothing


def _times(
    columns: Mapping[str, pa.Array], rows: int, times: LogTimes, seconds: pa.Array, stamp_ns: int | None
) -> IntArray:
    """When each ended: as it is logged, else its beginning and how long it took."""
    unknown = UNKNOWN_NS if stamp_ns is None else stamp_ns
    if "time" not in columns and "start_time" not in columns:
        return np.full(rows, unknown, np.int64)
    ended = _parsed(columns.get("time"), rows, times)
    if "start_time" in columns:
        begun = _parsed(columns["start_time"], rows, times)
        took = np.nan_to_num(np.asarray(seconds.to_numpy(zero_copy_only=False), np.float64), nan=-1.0)
        is_known = (begun != UNKNOWN_NS) & (took >= 0) & (took < _MAX_BEGUN_SECONDS)
        after = begun + np.rint(np.where(is_known, took, 0.0) * 1e6).astype(np.int64) * 1000
        ended = np.where(is_known, after, np.where(ended == UNKNOWN_NS, begun, ended))
    return ended


def _parsed(column: pa.Array | None, rows: int, times: LogTimes) -> IntArray:
    return np.full(rows, UNKNOWN_NS, np.int64) if column is None else times.parse(column.fill_null(b""))


def _error_types(column: pa.Array | None) -> Column | None:
    """Ours only: what another logger calls so is no type of ours."""
    if column is None:
        return None
    words = values.text(column)
    return pc.if_else(pc.is_in(words, pa.array(ERROR_TYPES)), words, pa.scalar(None, pa.string())).dictionary_encode()

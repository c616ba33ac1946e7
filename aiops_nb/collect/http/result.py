"""The outcome of one probe, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from aiops_nb.collect.http.body import Body
from aiops_nb.core.schemas import ErrorType, make_batch

MAX_DETAIL_CHARACTERS = 300


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one transfer found. None = it did not happen, or is not known."""

    duration_seconds: float
    status_code: int | None = None
    error_type: ErrorType | None = None
    response_bytes: int | None = None
    resolve_seconds: float | None = None
    connect_seconds: float | None = None
    tls_seconds: float | None = None
    wait_seconds: float | None = None
    transfer_seconds: float | None = None
    certificate_expires: int | None = None
    error_detail: str | None = None
    body: Body | None = None  # only where an assertion asks for it; no column


_COLUMNS = tuple(name for name in Outcome.__struct_fields__ if name != "body")


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An outcome with its place: `time_ns` is the end of the transfer, UTC."""

    time_ns: int
    target: str
    method: str
    outcome: Outcome


def results_batch(source: str, results: Sequence[ProbeResult]) -> pa.RecordBatch:
    """A `requests` batch of probes, in the given order.

    Examples
    --------
    >>> one = ProbeResult(time_ns=1, target="a", method="GET", outcome=Outcome(duration_seconds=0.1, error_type="dns"))
    >>> results_batch("probe", [one])["error_type"].to_pylist()
    ['dns']
    """
    columns: dict[str, list[object]] = {
        name: [getattr(result.outcome, name) for result in results] for name in _COLUMNS
    }
    columns["time"] = [result.time_ns for result in results]
    columns["target"] = [result.target for result in results]
    columns["method"] = [result.method for result in results]
    return make_batch("requests", source, {**columns, "origin": "probe"})

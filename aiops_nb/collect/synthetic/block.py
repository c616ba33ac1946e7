"""Some seconds of a stream at once, as batches. Pure: the same rows, however the seconds are grouped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aiops_nb.collect.synthetic.clients import addresses
from aiops_nb.collect.synthetic.effects import apply_faults, more_requests, row_names
from aiops_nb.collect.synthetic.hosts import METRICS, Hosts
from aiops_nb.collect.synthetic.params import Active, TrafficParams
from aiops_nb.collect.synthetic.rhythm import load
from aiops_nb.collect.synthetic.rows import METHODS, REFUSED, TRAFFIC_STREAM, Dice, Rows, made_of, roll, rolled_all
from aiops_nb.collect.synthetic.rows import weights as weights_of
from aiops_nb.core.schemas import Column, make_batch
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray

MAX_ROWS = 5_000
_LONGEST_BLOCK_SECONDS = 600
_BYTES_PER_SECOND = 5e7


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, and when each of its rows comes, (rows,); a stepped clock stamps other times."""

    batch: pa.RecordBatch
    due_ns: IntArray


@dataclass(frozen=True, slots=True)
class Block:
    """All rows of some seconds, a part for each table, in order of time; `samples` is None without hosts.

    `ends_ns` is of each second, (seconds,).
    """

    requests: Part
    samples: Part | None
    ends_ns: IntArray

    def parts(self) -> list[Part]:
        """In the order of the stream: of each second its requests, then its samples. Without hosts it is one part."""
        if self.samples is None:
            return [self.requests] if self.requests.batch.num_rows else []
        return list(_in_turn(self.requests, self.samples, self.ends_ns))


def draw_block(params: TrafficParams, source: str, first_second: int, seconds: int) -> Block:
    """The rows of so many seconds from `first_second`.

    Examples
    --------
    >>> params = TrafficParams(targets=("a", "b"), rate_hz=100, start_ns=0)
    >>> one, other = (draw_block(params, "s", 3, 1).requests.batch for _ in range(2))
    >>> one.equals(other)
    True
    """
    numbers = np.arange(first_second, first_second + seconds)
    loads = load(params.shape, params.seed, params.start_ns // NS_PER_SECOND + numbers)
    rates_hz = params.rate_hz * len(params.targets) * loads[:, None] * weights_of(params)
    counts, dice = _ordinary(params.seed, numbers, rates_hz)
    active = params.active(first_second, seconds)
    for place, fault in active:
        dice += more_requests(params, place, fault, numbers, rates_hz)
    rolled = rolled_all(dice)
    rows = made_of(params, rolled, loads[rolled.second - first_second])
    stamps = apply_faults(params, active, rows)
    names = row_names(params, active)
    requests = Part(_requests(params, source, rows, stamps, names), rows.time_ns)
    samples = _samples(params, active, source, numbers, loads, counts) if params.hosts else None
    return Block(requests, samples, params.start_ns + (numbers + 1) * NS_PER_SECOND)


def block_seconds(params: TrafficParams, first_second: int, duration_seconds: float | None) -> int:
    """How many seconds make a block of about 5,000 rows, and no more than are left."""
    rows_a_second = params.rate_hz * len(params.targets) + len(METRICS) * len(params.hosts)
    seconds = max(1, min(int(MAX_ROWS / rows_a_second), _LONGEST_BLOCK_SECONDS))
    return seconds if duration_seconds is None else min(seconds, math.ceil(duration_seconds) - first_second)


def _ordinary(seed: int, numbers: IntArray, rates_hz: FloatArray) -> tuple[IntArray, list[Dice]]:
    """How many requests each target has in each second when nothing is wrong, (seconds, targets), and their dice."""
    rngs = [np.random.default_rng((seed, TRAFFIC_STREAM, number)) for number in numbers.tolist()]
    counts = np.array([rng.poisson(rates) for rng, rates in zip(rngs, rates_hz, strict=True)])
    dice = [roll(rng, number, row) for rng, number, row in zip(rngs, numbers.tolist(), counts, strict=True)]
    return counts, dice


def _in_turn(requests: Part, samples: Part, ends_ns: IntArray) -> Iterator[Part]:
    """Of each second its requests, then its samples, which are due at its end."""
    request_ends = np.searchsorted(requests.due_ns, ends_ns, "left").tolist()
    sample_ends = np.searchsorted(samples.due_ns, ends_ns, "right").tolist()
    request, sample = 0, 0
    for request_end, sample_end in zip(request_ends, sample_ends, strict=True):
        for part, begin, end in ((requests, request, request_end), (samples, sample, sample_end)):
            if end > begin:
                yield Part(part.batch.slice(begin, end - begin), part.due_ns[begin:end])
        request, sample = request_end, sample_end


def _requests(
    params: TrafficParams, source: str, rows: Rows, stamps_ns: IntArray, names: Sequence[str]
) -> pa.RecordBatch:
    refused = rows.status == REFUSED
    transfer = np.minimum(rows.response_bytes / _BYTES_PER_SECOND, 0.5 * rows.duration_seconds)
    refusals = pa.array(np.zeros(len(refused), np.int32), mask=~refused)
    callers = addresses(params.shape.regular_clients, params.shape.newcomer_clients)
    columns: dict[str, Column] = {
        "time": stamps_ns,
        "origin": "traffic",
        "target": _coded(rows.name, pa.array(names)),
        "method": _coded(rows.method, pa.array(METHODS)),
        "status_code": pa.array(rows.status.astype(np.int16), mask=refused),
        "duration_seconds": rows.duration_seconds,
        "error_type": pa.DictionaryArray.from_arrays(refusals, ["connect"]),
        "error_detail": pa.array(["connection refused"]).take(refusals),
        "client_ip": callers.take(pa.array(rows.client)),
        "response_bytes": pa.array(rows.response_bytes, mask=refused),
        "wait_seconds": pa.array(rows.duration_seconds - transfer, mask=refused),
        "transfer_seconds": pa.array(transfer, mask=refused),
    }
    return make_batch("requests", source, columns)


def _samples(
    params: TrafficParams, active: Active, source: str, seconds: IntArray, loads: FloatArray, counts: IntArray
) -> Part:
    """Rows in order of second, host and metric."""
    hosts = Hosts(params, active, seconds)
    values = hosts.values(loads, counts)
    second, host, metric = np.nonzero(np.broadcast_to(hosts.taken()[..., None], values.shape))
    columns: dict[str, Column] = {
        "time": hosts.stamps_ns()[second, host],
        "target": _coded(host, pa.array(params.hosts)),
        "metric": _coded(metric, pa.array(METRICS)),
        "value": values[second, host, metric],
    }
    return Part(make_batch("samples", source, columns), hosts.ends_ns[second, host])


def _coded(codes: IntArray, words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), words)

"""What healthy services and hosts do besides answering: profiles that change the rows of a synthetic stream.

Each is a pure function of the rows' own times, so that the same seed gives the same stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.columns import floats, times_ns
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import BoolArray, FloatArray, IntArray

Habit = Callable[[pa.RecordBatch], pa.RecordBatch]
HOUR, DAY = 3600.0, 86_400.0
_MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_CHANCE_BITS = np.uint64(11)


def chance(numbers: IntArray, salt: int) -> FloatArray:
    """A uniform number in [0, 1) for each whole number: splitmix64.

    Examples
    --------
    >>> chance(np.array([1, 2]), 0).round(2)
    array([0.57, 0.59])
    """
    mixed = numbers.astype(np.uint64) + np.uint64((salt + 1) * int(_MIXERS[0]) % (1 << 64))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIXERS[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIXERS[2]
    uniform: FloatArray = ((mixed ^ (mixed >> np.uint64(31))) >> _CHANCE_BITS) / 2.0**53
    return uniform


def _is_requests(batch: pa.RecordBatch) -> bool:
    return "duration_seconds" in batch.schema.names


def _day_seconds(batch: pa.RecordBatch) -> FloatArray:
    day: FloatArray = times_ns(batch.column("time")) / 1e9 % DAY
    return day


def _is(batch: pa.RecordBatch, column: str, name: str) -> BoolArray:
    return np.array([value == name for value in batch.column(column).to_pylist()], np.bool_)


def _kept(batch: pa.RecordBatch, rows: BoolArray) -> pa.RecordBatch:
    return batch if rows.all() else batch.filter(pa.array(rows))


def _with(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    return batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), values)


def _slower(batch: pa.RecordBatch, factor: FloatArray) -> pa.RecordBatch:
    duration = np.minimum(floats(batch.column("duration_seconds")) * factor, 60.0)
    return _with(batch, "duration_seconds", pa.array(duration))


@dataclass(frozen=True)
class SharpMorning:
    """A tenth of the traffic until eight, all of it twenty minutes later."""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave out rows of the early hours."""
        if not _is_requests(batch):
            return batch
        share = np.interp(_day_seconds(batch), (8.0 * HOUR, 8.0 * HOUR + 1200), (0.1, 1.0))
        return _kept(batch, chance(times_ns(batch.column("time")), 1) < share)


@dataclass(frozen=True)
class Deploys:
    """Every quarter of an hour another service is away for ten seconds, and half as quick for the next twenty."""

    services: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave out the rows of a restart, and slow down those after it."""
        if not _is_requests(batch):
            return batch
        seconds = _day_seconds(batch)
        service = [f"service-{int(at // 900) % self.services}" for at in seconds.tolist()]
        own = np.array([a == b for a, b in zip(batch.column("target").to_pylist(), service, strict=True)], np.bool_)
        since = seconds % 900
        cold = own & (since >= 10) & (since < 30)
        return _kept(_slower(batch, np.where(cold, 2.0, 1.0)), ~(own & (since < 10)))


@dataclass(frozen=True)
class NightlyBatch:
    """From two to twenty past two every tenth request of one service is a report that takes six times as long."""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Slow down the reports."""
        if not _is_requests(batch):
            return batch
        since = _day_seconds(batch) - 2 * HOUR
        report = (since >= 0) & (since < 1200) & (chance(times_ns(batch.column("time")), 2) < 0.1)
        return _slower(batch, np.where(report & _is(batch, "target", "service-1"), 6.0, 1.0))


@dataclass(frozen=True)
class NoisyNeighbour:
    """One service shares its machine with another's jobs: each minute it is as slow as chance will have it."""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Slow down one service."""
        if not _is_requests(batch):
            return batch
        minute = times_ns(batch.column("time")) // 60_000_000_000
        factor = np.exp(0.8 * np.sqrt(-2 * np.log(1 - chance(minute, 3))))
        return _slower(batch, np.where(_is(batch, "target", "service-3"), factor, 1.0))


@dataclass(frozen=True)
class RareHeavy:
    """An endpoint that is asked for every twenty seconds or so and takes seconds, once this and once that many."""

    rate_hz: float

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make one service rare and heavy."""
        if not _is_requests(batch):
            return batch
        time, own = times_ns(batch.column("time")), _is(batch, "target", "service-2")
        factor = 30.0 * np.exp(3.0 * (chance(time, 5) - 0.5))
        return _kept(_slower(batch, np.where(own, factor, 1.0)), ~own | (chance(time, 4) < 0.05 / self.rate_hz))


@dataclass(frozen=True)
class Timeouts:
    """One request of a thousand gets no answer in ten seconds."""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Let some rows time out."""
        if not _is_requests(batch):
            return batch
        lost = chance(times_ns(batch.column("time")), 6) < 0.001
        if not lost.any():
            return batch
        kept = pa.array(~lost)
        answers = [(name, batch.column(name)) for name in ("status_code", "response_bytes", "wait_seconds")]
        for name, column in answers:
            batch = _with(batch, name, pc.if_else(kept, column, pa.scalar(None, column.type)))
        words = [
            "timeout" if one else word for one, word in zip(lost, batch.column("error_type").to_pylist(), strict=True)
        ]
        batch = _with(batch, "error_type", pa.array(words).cast(batch.schema.field("error_type").type))
        return _slower(batch, np.where(lost, 1e3, 1.0))


@dataclass(frozen=True)
class HostProfile:
    """Jobs at half past each hour, a backup at two, and memory that is collected every half hour.

    Attributes
    ----------
    cron_ratio
        By how much the processor is busier for 45 s of each hour.
    backup_ratio
        Share of the processor that waits for the disk from two to half past; None: it is not sampled.
    saw_ratio, saw_seconds
        How far memory rises before it is collected, and how long that takes.
    """

    cron_ratio: float = 0.0
    backup_ratio: float | None = None
    saw_ratio: float = 0.0
    saw_seconds: float = 1800.0

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Change the samples, and add those of the disk."""
        if _is_requests(batch) or not batch.num_rows:
            return batch
        seconds, value = _day_seconds(batch), floats(batch.column("value"))
        cron = self.cron_ratio * ((seconds - HOUR / 2) % HOUR < 45) * _is(batch, "metric", "cpu_ratio")
        saw = self.saw_ratio * (seconds % self.saw_seconds / self.saw_seconds) * _is(batch, "metric", "memory_ratio")
        changed = _with(batch, "value", pa.array(np.minimum(value + cron + saw, 1.0)))
        return changed if self.backup_ratio is None else self._with_disk(changed, self.backup_ratio)

    def _with_disk(self, batch: pa.RecordBatch, waiting_ratio: float) -> pa.RecordBatch:
        hosts = batch.filter(pa.array(_is(batch, "metric", "cpu_ratio")))
        since = _day_seconds(hosts) - 2 * HOUR
        noise = 0.02 * chance(times_ns(hosts.column("time")), 7)
        columns = {
            "time": hosts.column("time"),
            "target": hosts.column("target"),
            "metric": ["cpu_iowait_ratio"] * hosts.num_rows,
            "value": np.where((since >= 0) & (since < 1800), waiting_ratio, 0.01) + noise,
        }
        disk = make_batch("samples", "synthetic", columns)
        both = pa.Table.from_batches([batch, disk]).unify_dictionaries().combine_chunks()
        return both.to_batches()[0]

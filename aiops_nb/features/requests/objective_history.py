"""What an earlier recording holds of series that have an objective: requests and errors, by minutes and quarters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pyarrow as pa
from msgspec import Meta, Struct

from aiops_nb.core.columns import dictionary_indices, integers, times_ns
from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, BoolArray, IntArray
from aiops_nb.features.requests.overall import MOST_ORIGINS

MINUTE_SECONDS, QUARTER_SECONDS = 60, 900
MINUTES_FOR_SECONDS, PAST_SECONDS = 21_600, 259_200
Amount = Annotated[int, Meta(ge=0, le=1 << 53)]
Moment = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
FAILED_STATUS = 500
COUNTED = ["origin", "target", "status_code", "error_type"]


class SeriesPast(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests and errors of one series before a run.

    Attributes
    ----------
    target, origin
        The series; target `*` is all of an origin.
    since_ns
        Time of its first request, UTC.
    starts_seconds
        Where its k slots begin, UTC: a quarter of an hour each, a minute each for the last six hours; those without a
        request are left out.
    requests, errors
        In each slot.
    """

    target: str
    origin: str
    since_ns: Moment
    starts_seconds: tuple[Annotated[int, Meta(ge=-(1 << 33), le=1 << 33)], ...]
    requests: tuple[Amount, ...]
    errors: tuple[Amount, ...]

    def __post_init__(self) -> None:
        if not len(self.starts_seconds) == len(self.requests) == len(self.errors):
            raise ValueError("expected as many requests and errors as starts_seconds")


class History(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run takes over from an earlier recording, which it names; up to `end_ns`."""

    recording: str
    end_ns: Moment
    series: tuple[SeriesPast, ...] = ()


class PastAnswers:
    """Counts the rows of a recording, of all targets of an origin together and of some targets.

    A row counts by its own time, also one that came too late for its window. Cost O(rows); memory 11 KB a series.

    Parameters
    ----------
    targets
        Which are counted by themselves, too.
    end_ns
        Rows in the three days before it are counted, from the beginning of a quarter of an hour.

    Examples
    --------
    >>> from aiops_nb.core.schemas import make_batch
    >>> rows = {"time": [0, 1, 2], "origin": "probe", "target": ["a", "b", "a"], "status_code": [200, 200, 503]}
    >>> past = PastAnswers(["a"], end_ns=3)
    >>> past.add(make_batch("requests", "demo", rows))
    >>> [(one.target, one.requests, one.errors) for one in past.series()]
    [('*', (3,), (1,)), ('a', (2,), (1,))]
    """

    def __init__(self, targets: Sequence[str], end_ns: int) -> None:
        end = end_ns // NS_PER_SECOND
        self._minutes_from = (end - MINUTES_FOR_SECONDS) // QUARTER_SECONDS * QUARTER_SECONDS
        self._from = (end - PAST_SECONDS) // QUARTER_SECONDS * QUARTER_SECONDS
        quarters = np.arange(self._from, self._minutes_from, QUARTER_SECONDS)
        self._starts = np.concatenate([quarters, np.arange(self._minutes_from, end + 1, MINUTE_SECONDS)])
        self.start_ns, self.end_ns = self._from * NS_PER_SECOND, end_ns
        self._targets = frozenset(targets)
        self._counts: dict[tuple[str, str], IntArray] = {}
        self._since: dict[tuple[str, str], int] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count rows of the table `requests`."""
        time = times_ns(batch.column("time"))
        within = (time >= self.start_ns) & (time < self.end_ns)
        if not within.any():
            return
        if not within.all():
            batch, time = batch.select(COUNTED).filter(pa.array(within)), time[within]
        slot = np.searchsorted(self._starts, time // NS_PER_SECOND, side="right") - 1
        failed: BoolArray = np.asarray(batch.column("error_type").is_valid())
        failed = failed | (integers(batch.column("status_code"), 0) >= FAILED_STATUS)
        for origin, rows in _places(batch.column("origin")).items():
            if (ALL_TARGETS, origin) not in self._counts and len(self._origins()) >= MOST_ORIGINS:
                continue
            self._count((ALL_TARGETS, origin), rows, time, slot, failed)
            targets = _places(batch.column("target").take(pa.array(rows)), self._targets)
            for target, mine in targets.items():
                self._count((target, origin), rows[mine], time, slot, failed)

    def _count(self, key: tuple[str, str], rows: IntArray, time: IntArray, slot: IntArray, failed: BoolArray) -> None:
        counts = self._counts.setdefault(key, np.zeros((2, len(self._starts)), np.int64))
        counts[0] += np.bincount(slot[rows], minlength=len(self._starts))
        counts[1] += np.bincount(slot[rows[failed[rows]]], minlength=len(self._starts))
        first = int(time[rows].min())
        self._since[key] = min(self._since.get(key, first), first)

    def _origins(self) -> set[str]:
        return {origin for _, origin in self._counts}

    def series(self) -> tuple[SeriesPast, ...]:
        """What was counted, by target and origin."""
        return tuple(self._past(target, origin) for target, origin in sorted(self._counts))

    def _past(self, target: str, origin: str) -> SeriesPast:
        counts = self._counts[target, origin]
        used = np.flatnonzero(counts[0])
        return SeriesPast(
            target=target,
            origin=origin,
            since_ns=self._since[target, origin],
            starts_seconds=tuple(self._starts[used].tolist()),
            requests=tuple(counts[0, used].tolist()),
            errors=tuple(counts[1, used].tolist()),
        )


def _places(column: pa.DictionaryArray, wanted: frozenset[str] | None = None) -> dict[str, IntArray]:
    """Rows of each name of a column, of the wanted ones only; null is a name of its own, ""."""
    indices = dictionary_indices(column)
    names = [*column.dictionary.to_pylist(), ""]
    codes = np.where(indices < 0, len(names) - 1, indices)
    present = [code for code in np.unique(codes).tolist() if wanted is None or names[code] in wanted]
    return {names[code]: np.flatnonzero(codes == code) for code in present}

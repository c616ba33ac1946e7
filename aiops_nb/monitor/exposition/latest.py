"""The latest values of each target, as a page of metrics shows them; bounded, and without what is no longer seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import dictionary_indices, times_ns
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Step

STALE_NS = 300 * NS_PER_SECOND  # Prometheus' lookback
MOST_SERIES = 10_000
BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # the client libraries' default
Row = Mapping[str, Any]


@dataclass(slots=True)
class Traffic:
    """Requests of other clients to one target, since the start.

    Attributes
    ----------
    codes
        How many by status class: `2xx`, or `error` where there was no response.
    buckets
        Of the latency: counts up to each bound, the last one without a bound.
    sum_seconds
        Of all latencies.
    """

    codes: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    sum_seconds: float = 0.0


class Latest:
    """What a stream showed last; written by the monitor's thread, read by that of a scrape.

    Attributes
    ----------
    dropped
        Series beyond the first 10,000, which are not shown.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._probes: dict[str, Row] = {}
        self._samples: dict[tuple[str, str], tuple[int, float]] = {}
        self._traffic: dict[str, Traffic] = {}
        self._alerts: dict[str, AlertChange] = {}
        self._newest_ns = 0
        self.dropped = 0

    def take(self, step: Step) -> None:
        """Keep the last row of each target, and the alerts that are open."""
        batch = step.item.batch
        with self._lock:
            for change in step.changes:
                self._take_change(change)
            if not batch.num_rows:
                return
            self._newest_ns = max(self._newest_ns, int(times_ns(batch.column("time")).max()))
            if step.item.table == "requests":
                self._take_requests(batch)
            elif step.item.table == "samples":
                self._take_samples(batch)

    def probes(self) -> Iterator[Row]:
        """The latest probe of each target that was probed in the last five minutes."""
        with self._lock:
            kept = [row for row in self._probes.values() if self._is_fresh(row["time_ns"])]
        yield from kept

    def samples(self) -> Iterator[tuple[str, str, float]]:
        """Target, metric and value of each series of the last five minutes."""
        with self._lock:
            kept = [(*key, value) for key, (time_ns, value) in self._samples.items() if self._is_fresh(time_ns)]
        yield from kept

    def traffic(self) -> Iterator[tuple[str, Traffic]]:
        """What is counted of the requests to each target."""
        with self._lock:
            kept = [
                (target, Traffic(dict(one.codes), list(one.buckets), one.sum_seconds))
                for target, one in self._traffic.items()
            ]
        yield from kept

    def alerts(self) -> Iterator[AlertChange]:
        """The open alerts."""
        with self._lock:
            kept = list(self._alerts.values())
        yield from kept

    def _is_fresh(self, time_ns: int) -> bool:
        return self._newest_ns - time_ns <= STALE_NS

    def _has_room(self, known: Mapping[Any, Any], key: object) -> bool:
        if key in known or len(known) < MOST_SERIES:
            return True
        self.dropped += 1
        return False

    def _take_change(self, change: AlertChange) -> None:
        if change.state in ("resolved", "inactive"):
            self._alerts.pop(change.fingerprint, None)
        elif self._has_room(self._alerts, change.fingerprint):
            self._alerts[change.fingerprint] = change

    def _take_requests(self, batch: pa.RecordBatch) -> None:
        targets, origins = batch.column("target"), batch.column("origin")
        codes = dictionary_indices(targets)
        is_probe = np.array([origin == "probe" for origin in origins.to_pylist()], np.bool_)
        names = targets.dictionary.to_pylist()
        for code in np.unique(codes[is_probe]).tolist():
            last = int(np.flatnonzero(is_probe & (codes == code))[-1])
            if self._has_room(self._probes, names[code]):
                row = batch.slice(last, 1).to_pylist()[0]
                self._probes[names[code]] = row | {"time_ns": int(times_ns(batch.column("time"))[last])}
        if not is_probe.all():
            self._count_traffic(batch.filter(pa.array(~is_probe)))

    def _count_traffic(self, batch: pa.RecordBatch) -> None:
        targets = batch.column("target")
        codes, names = dictionary_indices(targets), targets.dictionary.to_pylist()
        status = batch.column("status_code").fill_null(0).to_numpy(zero_copy_only=False)
        seconds = batch.column("duration_seconds").to_numpy(zero_copy_only=False)
        for code in np.unique(codes).tolist():
            if not self._has_room(self._traffic, names[code]):
                continue
            counted = self._traffic.setdefault(names[code], Traffic())
            own = codes == code
            classes, counts = np.unique(status[own] // 100, return_counts=True)
            for first_digit, count in zip(classes.tolist(), counts.tolist(), strict=True):
                name = f"{first_digit}xx" if first_digit else "error"
                counted.codes[name] = counted.codes.get(name, 0) + count
            known = seconds[own & ~np.isnan(seconds)]
            counted.sum_seconds += float(known.sum())
            places = np.bincount(np.searchsorted(BOUNDS_SECONDS, known), minlength=len(BOUNDS_SECONDS) + 1)
            counted.buckets = [before + more for before, more in zip(counted.buckets, places.tolist(), strict=True)]

    def _take_samples(self, batch: pa.RecordBatch) -> None:
        targets, metrics = batch.column("target").to_pylist(), batch.column("metric").to_pylist()
        values = batch.column("value").to_pylist()
        for key, time_ns, value in zip(
            zip(targets, metrics, strict=True), times_ns(batch.column("time")).tolist(), values, strict=True
        ):
            if value is not None and self._has_room(self._samples, key):
                self._samples[key] = (time_ns, value)

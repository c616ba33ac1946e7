"""Samples by (target, metric)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import floats, times_ns
from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, FloatArray, IntArray, SeriesKey, Tick
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.sources import SeriesSources, source_of
from aiops_nb.engine.stages.stage import AddRows, FeatureJudges
from aiops_nb.features.samples.counters import counts_up
from aiops_nb.features.samples.features import SampleFeatures, SampleRows, sample_features
from aiops_nb.features.series import SeriesIndex
from aiops_nb.rules.defaults.hosts import PULSE_METRIC
from aiops_nb.rules.own_host import OwnHost

HOUR_SECONDS = 3600.0


class SamplesStage:
    """Samples: series are (target, metric)."""

    def __init__(self, params: PipelineParams, observed: ObservedTime, own_hosts: Iterable[str] = ()) -> None:
        self._observed = observed
        self._most_series = params.window.max_series
        self._index = SeriesIndex(self._most_series)
        self._features = SampleFeatures(params.window)
        self._names = sample_features(params.window.horizons_seconds)
        own_host = OwnHost(frozenset(own_hosts), params.own_host_alerts) if own_hosts else None
        self._judges = FeatureJudges(params.feature_rules, "samples", self._names, own_host, params.no_data)
        self.feature_judges = self._judges.judges
        self._keys: tuple[SeriesKey, ...] = ()
        self._known = 0
        self._sources = SeriesSources()
        self._hosts: BoolArray = np.zeros(0, np.bool_)
        self._silent_seconds: FloatArray = np.zeros(0)

    def adder(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once, giving series codes in row order; the result adds parts of it."""
        series = self._index.encode(batch.column("target"), batch.column("metric"))
        is_counter = counts_up(batch.column("metric")) & (series < self._most_series)  # the rest share a series
        time, value = times_ns(batch.column("time")), floats(batch.column("value"))
        rows = SampleRows(window, series, time, value, is_counter)
        source = source_of(batch)
        return lambda part, usable: self._add(rows.take(part), source, usable)

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._judges.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        return self._judges.pass_silence(elapsed_ns, end_ns)

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts, or those of series that only an ended source has sent."""
        if source is None:
            return self._judges.close(end_ns, outcome)
        ended = np.flatnonzero(self._sources.end(source, len(self._keys)))
        of_ended = {self._keys[place] for place in ended.tolist()}
        return self._judges.close(end_ns, outcome, of_ended.__contains__)

    def source_ended(self, source: str) -> None:
        """The silence of its series is no alert from here on."""
        self._sources.end(source, self._known)

    def source_failed(self, source: str) -> None:
        """While a source fails, the silence of its series is no alert: it has one of its own."""
        self._sources.failed(source)

    def source_recovered(self, source: str, time_ns: int) -> None:
        """A source that failed works again."""
        self._sources.recovered(source, time_ns)

    def heard_hosts(self) -> int:
        """How many hosts had data in the last hour before the last window."""
        return int((self._silent_seconds[self._hosts] < HOUR_SECONDS).sum())

    def _add(self, rows: SampleRows, source: str, usable: BoolArray | None) -> list[AlertChange]:
        self._sources.note(source, rows.series)
        self._known = max(self._known, int(rows.series.max()) + 1)
        rows = rows if usable is None else rows.take(usable)
        if len(rows.series):
            self._features.add(rows)
        return []

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if not self._known:
            return None, []
        values = self._features.close(window, self._known)
        if len(self._keys) < self._known:
            self._keys = self._index.sample_keys(self._known)
            self._hosts = np.array([key.metric == PULSE_METRIC for key in self._keys], np.bool_)
        self._silent_seconds = values[self._names.index("silent_seconds")]
        self._observed.mask(end_ns, self._names, values, requests=False)
        self._sources.mask(("silent_seconds",), self._silent_seconds[np.newaxis], end_ns)
        return self._judges.tick(FeatureTable("samples", end_ns, self._keys, self._names, values))

"""Samples by (target, metric)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import floats, times_ns
from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, FloatArray, IntArray, SeriesKey, Tick
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.stage import AddRows, FeatureJudges
from aiops_nb.features.samples.counters import counts_up
from aiops_nb.features.samples.features import SampleFeatures, SampleRows, sample_features
from aiops_nb.features.series import SeriesIndex
from aiops_nb.rules.defaults.hosts import PULSE_METRIC

HOUR_SECONDS = 3600.0


class SamplesStage:
    """Samples: series are (target, metric)."""

    def __init__(self, params: PipelineParams) -> None:
        self._most_series = params.window.max_series
        self._index = SeriesIndex(self._most_series)
        self._features = SampleFeatures(params.window)
        self._names = sample_features(params.window.horizons_seconds)
        self._judges = FeatureJudges(params.feature_rules, "samples", self._names)
        self.feature_judges = self._judges.judges
        self._keys: tuple[SeriesKey, ...] = ()
        self._known = 0
        self._sources: dict[str, int] = {}
        self._source_of, self._ended = np.zeros(16, np.int32), np.zeros(16, np.bool_)
        self._hosts: BoolArray = np.zeros(0, np.bool_)
        self._silent_seconds: FloatArray = np.zeros(0)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once, giving series codes in row order; the result adds parts of it."""
        series = self._index.encode(batch.column("target"), batch.column("metric"))
        is_counter = counts_up(batch.column("metric")) & (series < self._most_series)  # the rest share a series
        time, value = times_ns(batch.column("time")), floats(batch.column("value"))
        rows = SampleRows(window, series, time, value, is_counter)
        self._note_source(batch, series)
        return lambda part, usable: self._add(rows.take(part), usable)

    def _note_source(self, batch: pa.RecordBatch, series: IntArray) -> None:
        if not len(series):
            return
        capacity = capacity_near(int(series.max()) + 1, len(self._source_of))
        if capacity > len(self._source_of):
            self._source_of, self._ended = widened(self._source_of, capacity), widened(self._ended, capacity)
        self._source_of[series] = self._sources.setdefault(batch.column("source")[0].as_py(), len(self._sources))
        self._ended[series] = False

    def source_ended(self, source: str) -> None:
        """What it brought is not silent from here on: of what has ended nothing is expected."""
        if source in self._sources:
            known = self._source_of[: self._known]
            self._ended[: self._known] |= known == self._sources[source]

    def heard_hosts(self) -> int:
        """How many hosts were heard of in the last hour before the last window."""
        return int((self._silent_seconds[self._hosts] < HOUR_SECONDS).sum())

    def _add(self, rows: SampleRows, usable: BoolArray | None) -> list[AlertChange]:
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
        self._silent_seconds[self._ended[: self._known]] = np.nan
        return self._judges.tick(FeatureTable("samples", end_ns, self._keys, self._names, values))

"""Samples by (target, metric)."""

from __future__ import annotations

import pyarrow as pa

from aiops_nb.core.columns import floats, times_ns
from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, IntArray, SeriesKey, Tick
from aiops_nb.features.counters import counts_up
from aiops_nb.features.samples import SampleFeatures, SampleRows, sample_features
from aiops_nb.features.series import SeriesIndex
from aiops_nb.lanes.lane import AddRows, FeatureJudges
from aiops_nb.pipeline_params import PipelineParams


class SamplesLane:
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

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once, giving series codes in row order; the result adds parts of it."""
        series = self._index.encode(batch.column("target"), batch.column("metric"))
        is_counter = counts_up(batch.column("metric")) & (series < self._most_series)  # the rest share a series
        time, value = times_ns(batch.column("time")), floats(batch.column("value"))
        rows = SampleRows(window, series, time, value, is_counter)
        return lambda part, usable: self._add(rows.take(part), usable)

    def _add(self, rows: SampleRows, usable: BoolArray | None) -> list[AlertChange]:
        self._known = max(self._known, int(rows.series.max()) + 1)
        rows = rows if usable is None else rows.take(usable)
        if len(rows.series):
            self._features.add(rows)
        return []

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        values = self._features.close(window, self._known)
        if not self._known:
            return None, []
        if len(self._keys) < self._known:
            self._keys = self._index.sample_keys(self._known)
        return self._judges.tick(FeatureTable("samples", end_ns, self._keys, self._names, values))

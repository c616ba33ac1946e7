"""Which series of a table a rule judges; like a table's, they only ever grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops_nb.core.types import FeatureTable, IntArray, SeriesKey
from aiops_nb.rules.feature.params import FeatureRuleParams


class Selection:
    """The part of each tick's table that a rule is about: its series, and its features."""

    def __init__(self, rule: FeatureRuleParams) -> None:
        self._names = rule.seen_features
        self._origin, self._metrics, self._targets = rule.origin, frozenset(rule.metrics), frozenset(rule.targets)
        self._looked_up: tuple[str, ...] = ()
        self._rows: IntArray = np.zeros(0, np.int64)
        self._looked_at = 0
        self._places: IntArray = np.zeros(0, np.int64)
        self._series: tuple[SeriesKey, ...] = ()

    @property
    def series(self) -> tuple[SeriesKey, ...]:
        """The selected series so far."""
        return self._series

    def places(self, table: FeatureTable) -> tuple[tuple[SeriesKey, ...], IntArray | None]:
        """The selected series of a table and their places among all; None: all are selected."""
        if len(table.series) > self._looked_at:
            self._look_at(table.series)
        whole = len(self._places) == len(table.series)
        return self._series, None if whole else self._places

    def of(self, table: FeatureTable) -> FeatureTable:
        """The selected series with the selected features, in the order of the table."""
        if len(table.series) > self._looked_at:
            self._look_at(table.series)
        if not self._series:
            return FeatureTable(table.table, table.end_ns, (), self._names, np.empty((len(self._names), 0)))
        rows = self._rows_in(table.names)
        whole = len(self._places) == len(table.series)
        values = table.values[rows] if whole else table.values[np.ix_(rows, self._places)]
        return FeatureTable(table.table, table.end_ns, table.series if whole else self._series, self._names, values)

    def _rows_in(self, names: tuple[str, ...]) -> IntArray:
        """Places of the features; a stage gives the same names at every tick."""
        if names is not self._looked_up:
            self._looked_up = names
            self._rows = np.array([names.index(name) for name in self._names], np.int64)
        return self._rows

    def _look_at(self, series: tuple[SeriesKey, ...]) -> None:
        fresh = self._wanted(series, range(self._looked_at, len(series)))
        self._looked_at = len(series)
        if fresh:
            self._places = np.concatenate([self._places, np.array(fresh, np.int64)])
            self._series = (*self._series, *(series[place] for place in fresh))

    def _wanted(self, series: tuple[SeriesKey, ...], places: Sequence[int]) -> Sequence[int]:
        if self._origin is not None:
            places = [place for place in places if series[place].origin == self._origin]
        if self._metrics:
            places = [place for place in places if self._is_of_metrics(series[place].metric)]
        if self._targets:
            places = [place for place in places if series[place].target in self._targets]
        return places

    def _is_of_metrics(self, metric: str) -> bool:
        return metric in self._metrics or ("{" in metric and metric.partition("{")[0] in self._metrics)

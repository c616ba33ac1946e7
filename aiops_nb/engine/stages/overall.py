"""All targets of an origin together, from what the stage of requests has just closed."""

from __future__ import annotations

from collections import deque

import numpy as np

from aiops_nb.core.types import ALL_TARGETS, AlertChange, FeatureTable, IntArray, SeriesKey, Tick
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.requests import RequestsStage
from aiops_nb.engine.stages.sources import RATES
from aiops_nb.engine.stages.stage import FeatureJudges
from aiops_nb.features.requests.overall import MOST_ORIGINS, OVERALL_FEATURES, OverallFeatures
from aiops_nb.features.requests.stretch import ClosedWindows, WindowTotals
from aiops_nb.features.windows import FeatureWindows


class Origins:
    """Number of each series' origin, in the order of their first row."""

    def __init__(self) -> None:
        self.of_series: IntArray = np.zeros(0, np.int64)
        self.keys: tuple[SeriesKey, ...] = ()
        self._codes: dict[str, int] = {}

    def see(self, series: tuple[SeriesKey, ...]) -> None:
        """Take in series that are new."""
        if len(series) == len(self.of_series):
            return
        fresh = [self._code(key.origin) for key in series[len(self.of_series) :]]
        self.of_series = np.concatenate([self.of_series, np.array(fresh, np.int64)])
        if len(self.keys) < len(self._codes):
            self.keys = tuple(SeriesKey(ALL_TARGETS, origin=origin) for origin in self._codes)

    def _code(self, origin: str) -> int:
        return self._codes.setdefault(origin, min(len(self._codes), MOST_ORIGINS - 1))


class OverallStage:
    """Requests by origin; closed after the stage of requests, whose totals it sums: no row is decoded twice."""

    def __init__(self, params: PipelineParams, requests: RequestsStage, observed: ObservedTime) -> None:
        self._requests, self._observed = requests, observed
        self.features = OverallFeatures(params.window.span_ticks, params.window.tick_seconds)
        self._judges = FeatureJudges(params.feature_rules, "overall", OVERALL_FEATURES)
        self.feature_judges = self._judges.judges
        self.origins = Origins()
        self._ahead: deque[tuple[Tick, list[AlertChange]]] = deque()

    def close_ahead(self, window: int, closed: ClosedWindows, tick_ns: int) -> WindowTotals:
        """Close windows in a row, as the stage of requests has; `close` then gives them one by one."""
        self.origins.see(self._requests.keys)
        keys, end_ns = self.origins.keys, (window + 1) * tick_ns
        values, now = self.features.close_windows(window, closed, self.origins.of_series, len(keys))
        features = FeatureWindows("overall", end_ns, tick_ns, keys, OVERALL_FEATURES, values)
        self._observed.mask_windows(features)
        self._ahead.extend(self._judges.tick_windows(features))
        return now

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if self._ahead:
            return self._ahead.popleft()
        moved = self._requests.features.moved
        self.origins.see(self._requests.keys)
        keys = self.origins.keys
        if not keys or moved is None:
            return None, []
        values = self.features.close(window, moved, self.origins.of_series, len(keys))
        self._observed.mask(end_ns, OVERALL_FEATURES, values)
        if ended := self._requests.ended_origins():
            gone = [key.origin in ended for key in keys]
            for name in RATES:
                values[OVERALL_FEATURES.index(name)][gone] = np.nan
        return self._judges.tick(FeatureTable("overall", end_ns, keys, OVERALL_FEATURES, values))

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._judges.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        return self._judges.pass_silence(elapsed_ns, end_ns)

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts; those of all targets do not end with one source."""
        return [] if source is not None else self._judges.close(end_ns, outcome)

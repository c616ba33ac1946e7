"""Errors over minutes to days, of all targets of an origin together and of the targets that have an objective."""

from __future__ import annotations

from collections import deque

import numpy as np

from aiops_nb.core.types import AlertChange, FeatureTable, SeriesKey, Tick
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.inactive_targets import PROBE
from aiops_nb.engine.stages.overall import OverallStage
from aiops_nb.engine.stages.requests import RequestsStage
from aiops_nb.engine.stages.stage import FeatureJudges
from aiops_nb.features.requests.objective_history import History
from aiops_nb.features.requests.objectives import OBJECTIVE_FEATURES, ObjectiveFeatures
from aiops_nb.features.requests.stretch import ClosedWindows, WindowTotals
from aiops_nb.features.windows import FeatureWindows


class ObjectivesStage:
    """Series are (`*`, origin) and (target, origin) of the `objective_targets`; closed after the stages it reads.

    One that an earlier recording knew begins with what it holds, the `history`.
    """

    def __init__(
        self, params: PipelineParams, requests: RequestsStage, overall: OverallStage, history: History | None = None
    ) -> None:
        self._requests, self._overall = requests, overall
        self._targets = frozenset(params.window.objective_targets)
        self._features = ObjectiveFeatures(params.window.tick_seconds)
        self._judges = FeatureJudges(params.feature_rules, "slo", OBJECTIVE_FEATURES)
        self.feature_judges = self._judges.judges
        self._keys: tuple[SeriesKey, ...] = ()
        self._is_overall: list[bool] = []
        self._place: list[int] = []
        self._seen = 0, 0
        self._first_window: int | None = None
        self._ahead: deque[tuple[Tick, list[AlertChange]]] = deque()
        self._past = {} if history is None else {(past.target, past.origin): past for past in history.series}

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if self._ahead:
            return self._ahead.popleft()
        self._begin(window)
        if not self._keys:
            return None, []
        moved, now = self._requests.features.moved, self._overall.features.now
        amounts = np.zeros((2, len(self._keys)), np.int64)
        if now is not None and moved is not None and moved.entering is not None:
            for at, (overall, place) in enumerate(zip(self._is_overall, self._place, strict=True)):
                totals = now if overall else moved.entering
                amounts[:, at] = totals.count[place], totals.errors[place]
        values = self._features.close(window, amounts[0], amounts[1])
        return self._judges.tick(FeatureTable("slo", end_ns, self._keys, OBJECTIVE_FEATURES, values))

    def close_ahead(self, window: int, closed: ClosedWindows, overall: WindowTotals, tick_ns: int) -> None:
        """Close windows in a row, as the stages before have; `close` then gives them one by one."""
        self._begin(window)
        amounts = np.zeros((2, len(closed.leaving), len(self._keys)), np.int64)
        for at, (is_overall, place) in enumerate(zip(self._is_overall, self._place, strict=True)):
            totals = overall if is_overall else closed.totals
            amounts[0, :, at] = totals.array("count")[:, place]
            amounts[1, :, at] = totals.array("errors")[:, place]
        values = self._features.close_windows(window, amounts[0], amounts[1])
        end_ns = (window + 1) * tick_ns
        features = FeatureWindows("slo", end_ns, tick_ns, self._keys, OBJECTIVE_FEATURES, values)
        self._ahead.extend(self._judges.tick_windows(features))

    def _begin(self, window: int) -> None:
        """Take in origins and targets that are new, with what an earlier recording knew of them."""
        self._first_window = window if self._first_window is None else self._first_window
        for fresh in self._see():
            self._recall(fresh, window, self._first_window)

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._judges.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        return self._judges.pass_silence(elapsed_ns, end_ns)

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts; those of all targets do not end with one source."""
        return [] if source is not None else self._judges.close(end_ns, outcome)

    def end_target_alerts(self, end_ns: int, outcome: str, target: str) -> list[AlertChange]:
        """Changes that end the alerts of one probed target; its history stays."""
        return self._judges.close(end_ns, outcome, SeriesKey(target, origin=PROBE).__eq__)

    def _recall(self, place: int, window: int, first_window: int) -> None:
        key = self._keys[place]
        if (past := self._past.pop((key.target, key.origin), None)) is not None:
            self._features.recall(window, place, past, first_window)

    def _see(self) -> range:
        """Take in origins and targets that are new; their places."""
        known = len(self._keys)
        for is_overall, keys in ((True, self._overall.origins.keys), (False, self._requests.keys)):
            seen = self._seen[0 if is_overall else 1]
            fresh = [place for place in range(seen, len(keys)) if is_overall or keys[place].target in self._targets]
            self._keys = (*self._keys, *(keys[place] for place in fresh)) if fresh else self._keys
            self._is_overall += [is_overall] * len(fresh)
            self._place += fresh
        self._seen = len(self._overall.origins.keys), len(self._requests.keys)
        return range(known, len(self._keys))

"""The rule that tells whether this host is connected, at work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiops_nb.alert.connectivity import NOBODY, Connectivity
from aiops_nb.alert.connectivity_params import ConnectivityParams
from aiops_nb.alert.inhibit_params import CONNECTIVITY_ALERT
from aiops_nb.alert.tick_rule import Transition
from aiops_nb.core.types import AlertChange, IntArray, SeriesKey
from aiops_nb.features.request_rows import RequestRows
from aiops_nb.judge.identity import bare_change, labels_of

CONNECTIVITY_DETECTOR = "connectivity"
OBSERVER = "observer"


class ConnectivityJudge:
    """Finds the rows of the references, and judges them."""

    def __init__(self, params: ConnectivityParams) -> None:
        self._params = params
        self._rule = Connectivity(params)
        self._reference: IntArray = np.zeros(0, np.int64)

    def rows(self, rows: RequestRows, time_ns: IntArray, keys: tuple[SeriesKey, ...]) -> list[tuple[int, AlertChange]]:
        """Changes within these rows, in their order, each with the place of its row."""
        if not self._params.targets:
            return []
        self._look_at(keys)
        moves = self._rule.rows(self._reference[rows.series], rows.failed, time_ns)
        return [(move.row, self._change(move)) for move in moves]

    def tick(self, end_ns: int) -> list[AlertChange]:
        """Changes at the end of a window."""
        return [self._change(transition) for transition in self._rule.tick(end_ns)]

    def _look_at(self, keys: tuple[SeriesKey, ...]) -> None:
        fresh = [self._place(key) for key in keys[len(self._reference) :]]
        if fresh:
            self._reference = np.concatenate([self._reference, np.array(fresh, np.int64)])

    def _place(self, key: SeriesKey) -> int:
        ours = key.origin == "probe" and key.target in self._params.targets
        return self._params.targets.index(key.target) if ours else NOBODY

    def _change(self, transition: Transition) -> AlertChange:
        labels = labels_of(CONNECTIVITY_ALERT, "critical", CONNECTIVITY_DETECTOR, SeriesKey(OBSERVER))
        over = transition.state in ("resolved", "inactive")
        return replace(
            bare_change(transition, labels),
            threshold=float(self._params.for_rows),
            summary=f"{OBSERVER}: {'connected again' if over else self._sentence()}",
        )

    def _sentence(self) -> str:
        return f"this host seems offline: none of {', '.join(self._params.targets)} answers"

"""What every stage offers to the pipeline, and what stages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.types import (
    AlertChange,
    BoolArray,
    FeatureTable,
    FeatureTableName,
    SeriesKey,
    Tick,
)
from aiops_nb.features.windows import FeatureWindows
from aiops_nb.rules.feature.judge import FeatureJudge
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.feature.quiet import judge_windows
from aiops_nb.rules.no_data import NoDataJudge, NoDataParams, judged_series
from aiops_nb.rules.own_host import OwnHost

AddRows = Callable[[slice, BoolArray | None], list[AlertChange]]
"""Adds a part of a decoded batch, of which only the usable rows (None: all) are not late."""


class Stage(Protocol):
    """Rows of one recorded table to windows of one table of features."""

    feature_judges: list[FeatureJudge]

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        ...

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept: nothing held for that time, or was silent."""
        ...

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long, so that no window was closed."""
        ...

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts, or those of series that only an ended source has sent."""
        ...


class FeatureJudges:
    """The feature rules of one table, and whose silence is an alert: None, nobody's.

    `own_host` holds the targets that are the monitor's own machine.
    """

    def __init__(
        self,
        rules: tuple[FeatureRuleParams, ...],
        table: FeatureTableName,
        names: tuple[str, ...],
        own_host: OwnHost | None = None,
        no_data: NoDataParams | None = None,
    ) -> None:
        mine = [rule for rule in rules if rule.table == table]
        self._silence = None if no_data is None else NoDataJudge(no_data, judged_series(rules, table), own_host)
        self.judges = [FeatureJudge(rule, own_host) for rule in mine if set(rule.seen_features) <= set(names)]

    def tick(self, features: FeatureTable) -> tuple[Tick, list[AlertChange]]:
        """Judge a closed window by every rule.

        Zeros lose their sign: whether `np.maximum(-0.0, 0.0)` has one depends on the processor, and bytes must not.
        """
        features.values[...] += 0.0
        one = FeatureWindows(
            features.table, features.end_ns, 0, features.series, features.names, features.values[np.newaxis]
        )
        scored, changes = judge_windows(kernel.compiled, self.judges, one)[0]
        return Tick(features, tuple(scored)), changes + self._without_data(features)

    @property
    def gone(self) -> frozenset[SeriesKey]:
        """Series that brought no data for so long, now, that their alerts are to be resolved."""
        return frozenset() if self._silence is None else self._silence.gone

    @property
    def outcome_of_gone(self) -> str:
        """Why these alerts are over."""
        return "" if self._silence is None else self._silence.outcome

    def _without_data(self, features: FeatureTable) -> list[AlertChange]:
        if self._silence is None:
            return []
        made = self._silence.tick(features)
        return [*made, *self._resolve_gone(features.end_ns)]

    def _resolve_gone(self, end_ns: int) -> list[AlertChange]:
        if not self.gone:
            return []
        is_gone, outcome = self.gone.__contains__, self.outcome_of_gone
        return [change for judge in self.judges for change in judge.close(end_ns, outcome, is_gone)]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for judge in self.judges:
            judge.pass_sleep(slept_ns)

    def tick_windows(self, features: FeatureWindows) -> list[tuple[Tick, list[AlertChange]]]:
        """The same of windows in a row, where `can_look_ahead`."""
        features.values[...] += 0.0
        judged = judge_windows(kernel.compiled, self.judges, features)
        silent = [[] for _ in judged] if self._silence is None else self._silence.tick_windows(features)
        return [
            (Tick(features.at(at), tuple(scored)), changes + silent[at]) for at, (scored, changes) in enumerate(judged)
        ]

    @property
    def can_look_ahead(self) -> bool:
        """Whether rules do not depend on each other: no alert ends because its series is silent."""
        return self._silence is None or not self._silence.resolves

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        made = [change for judge in self.judges for change in judge.pass_silence(elapsed_ns, end_ns)]
        if self._silence is None:
            return made
        return [*made, *self._silence.pass_silence(elapsed_ns, end_ns), *self._resolve_gone(end_ns)]

    def close(
        self, end_ns: int, outcome: str, is_chosen: Callable[[SeriesKey], bool] | None = None
    ) -> list[AlertChange]:
        """Changes that end all alerts, or those of the chosen series."""
        made = [change for judge in self.judges for change in judge.close(end_ns, outcome, is_chosen)]
        return made if self._silence is None else [*made, *self._silence.close(end_ns, outcome, is_chosen)]

"""What every lane offers to the pipeline, and what lanes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa

from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, FeatureTableName, IntArray, ScoredFeature, Tick
from aiops_nb.rules.feature.judge import FeatureJudge
from aiops_nb.rules.feature.params import FeatureRuleParams

AddRows = Callable[[slice, BoolArray | None], list[AlertChange]]
"""Adds a part of a decoded batch, of which only the usable rows (None: all) are not late."""


class Stage(Protocol):
    """Rows of one recorded table to windows of one table of features.

    Several lanes may read the same recorded table; only one of them may change alerts within the rows, or the order of
    the changes would depend on how the stream is cut.
    """

    feature_judges: list[FeatureJudge]

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once, giving series codes in row order; the result adds parts of it."""
        ...

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        ...


class FeatureJudges:
    """The feature rules of one table."""

    def __init__(self, rules: tuple[FeatureRuleParams, ...], table: FeatureTableName, names: tuple[str, ...]) -> None:
        mine = [rule for rule in rules if rule.table == table]
        self.judges = [FeatureJudge(rule) for rule in mine if set(rule.seen_features) <= set(names)]

    def tick(self, features: FeatureTable) -> tuple[Tick, list[AlertChange]]:
        """Judge a closed window by every rule."""
        scored: list[ScoredFeature] = []
        changes: list[AlertChange] = []
        for judge in self.judges:
            verdict, made = judge.tick(features)
            scored.append(verdict)
            changes += made
        return Tick(features, tuple(scored)), changes

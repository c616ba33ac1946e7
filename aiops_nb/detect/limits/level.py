"""A fixed limit, for values whose meaning does not depend on their past: a full disk is full."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.limits.compiled import Compiled

FARTHEST = 1e9


class LevelParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="level", tag_field="type"):
    """Parameters of `Level`.

    Attributes
    ----------
    limit
        In the feature's unit, > 0.
    direction
        Which side of the limit is bad.
    """

    limit: Annotated[float, Meta(gt=0)]
    direction: Literal["above", "below"] = "above"


class Level:
    """How far a feature is towards a fixed limit: 1 at the limit, more beyond it. No warm-up, nothing is learned.

    The score is value / limit where more is worse, limit / value where less is. Cost O(n) a tick, no memory.

    Parameters
    ----------
    feature
        Name of the feature, with its unit.
    params
        See `LevelParams`.
    threshold
        Multiple of the limit at which the band ends; a rule with this detector normally has 1.

    Examples
    --------
    >>> from aiops_nb.core.types import SeriesKey
    >>> table = FeatureTable("samples", 0, (SeriesKey("db"),), ("value",), np.array([[0.96]]))
    >>> round(Level("value", LevelParams(limit=0.8), threshold=1.0).score(table).score.item(), 2)
    1.2
    """

    name = "level"

    def __init__(self, feature: str, params: LevelParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN where the value is not finite."""
        value = table.column(self.features[0])
        value = np.where(np.isfinite(value), value, np.nan)
        unknown, limit = np.full(len(value), np.nan), self._params.limit
        if self._params.direction == "above":
            score = np.maximum(value / limit, 0.0)
            return Scores(score=score, expected=unknown, lower=unknown, upper=self._bound(value))
        with np.errstate(divide="ignore"):
            score = np.where(
                value > 0, np.minimum(limit / value, FARTHEST), np.where(np.isnan(value), np.nan, FARTHEST)
            )
        return Scores(score=score, expected=unknown, lower=self._bound(value), upper=unknown)

    def _bound(self, value: FloatArray) -> FloatArray:
        factor = self.threshold if self._params.direction == "above" else 1 / self.threshold
        return np.full(len(value), self._params.limit * factor)

    def compiled(self, names: tuple[str, ...], count: int) -> Compiled | None:
        """Its parameters as `judge_windows` of the compiled kernel takes them."""
        return Compiled("level", (self._params.limit, int(self._params.direction == "above")))

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Nothing: the limit is fixed."""

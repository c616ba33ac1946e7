"""A detector made by the recipe of CONTRIBUTING: jumps of a value from one window to the next."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import BoolArray, FeatureTable, Scores
from aiops_nb.detect.spec import DetectorSpec


class JumpParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="jump"):
    """Parameters of `Jump`.

    Attributes
    ----------
    max_jump
        Largest normal difference of two values, in the feature's unit.
    """

    max_jump: Annotated[float, Meta(gt=0)] = 1.0


class Jump:
    """Distance of each series from its last learned value, in multiples of `max_jump`.

    NaN before the first value is learned. Cost O(n) a tick, memory 8 bytes a series.

    Parameters
    ----------
    feature
        Name of the feature.
    params
        See `JumpParams`.
    threshold
        Multiple of `max_jump` at which the band ends.
    """

    name = "jump"

    def __init__(self, feature: str, params: JumpParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._last = np.full(16, np.nan)

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; changes nothing."""
        value = table.column(self.features[0])
        last = np.full(len(value), np.nan)
        last[: len(self._last)] = self._last[: len(value)]
        reach = self.threshold * self._params.max_jump
        with np.errstate(over="ignore", invalid="ignore"):
            score = np.abs(value - last) / self._params.max_jump
            return Scores(
                score=np.where(np.isfinite(value), score, np.nan), expected=last, lower=last - reach, upper=last + reach
            )

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Take in the known values of the series in `rows`."""
        value = table.column(self.features[0])
        capacity = capacity_near(len(value), len(self._last))
        if capacity > len(self._last):
            self._last = widened(self._last, capacity, np.nan)
        np.copyto(self._last[: len(value)], value, where=rows & np.isfinite(value))


SPEC = DetectorSpec(
    params=JumpParams,
    build=lambda params, features, threshold: Jump(features[0], params, threshold),
    threshold_unit="multiples",
    purpose="jumps of a value from one window to the next",
)

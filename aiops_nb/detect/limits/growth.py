"""What grows steadily and will be full: a leak, a filling disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.quantities import readable, readable_change, rough_duration
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.limits.trend import Trend

Positive = Annotated[float, Meta(gt=0)]
HOUR_SECONDS = 3600.0


class GrowthParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="growth", tag_field="type"):
    """Parameters of `Growth`.

    Attributes
    ----------
    limit
        Where it ends, in the feature's unit: 1 for a ratio, 0 for bytes that are available.
    direction
        `above`: it grows up to the limit; `below`: it falls to it.
    windows_seconds
        Growth is looked for over each of these.
    reach
        A window looks at most so many times as far ahead as it looks back.
    forget_windows
        Growth back to where the value was before the window does not count: memory that is collected now and then,
        a disk whose logs are rotated. What was before is forgotten in so many windows by two thirds; None: growth
        counts wherever it is.
    """

    limit: float = 1.0
    direction: Literal["above", "below"] = "above"
    windows_seconds: Annotated[tuple[Positive, ...], Meta(min_length=1, max_length=8)] = (600.0, 3600.0, 14400.0)
    reach: Positive = 3.0
    forget_windows: Positive | None = 100.0


class Growth:
    """How sure it is that a feature grows, and how soon it will be at its limit: 100 * steadiness * soon.

    Over each window the slope is the median of the slopes of all pairs of its 12 sections (Theil 1950, Sen 1968), and
    its steadiness the share of it that 90 % of the pairs reach (0 to 1; a step has 0). Soon is 1 if the limit will be
    reached within `reach` windows, and less in proportion to the time beyond; 0 if the value has fallen back to what
    it was in the middle of the window, or has not yet risen (by a quarter of a window's growth) beyond what it was
    before the window. The largest of the windows' scores counts. NaN until three quarters of the shortest window are
    known.

    What is anomalous is learned too: the past is not a baseline here, it is what is judged. Cost O(n) a tick and 66
    slopes a series and window at the end of each twelfth of a window; memory 190 bytes a series and window.

    Parameters
    ----------
    feature
        Name of the feature, with its unit.
    params
        See `GrowthParams`.
    threshold
        Score, 0 to 100, above which a caller takes it for growth.

    Examples
    --------
    >>> from aiops_nb.core.types import SeriesKey
    >>> detector = Growth("value", GrowthParams(windows_seconds=(60.0,)), threshold=50.0)
    >>> for second in range(1, 70):
    ...     values = np.array([[0.5 + 0.001 * second]])
    ...     table = FeatureTable("samples", second * 10**9, (SeriesKey("db"),), ("value",), values)
    ...     score = detector.score(table).score.item()
    ...     detector.learn(table, np.ones(1, np.bool_))
    >>> round(score), detector.about(table)(0, "memory_ratio")
    (42, 'rising 360 points an hour, full in 7.2 min')
    """

    name = "growth"

    def __init__(self, feature: str, params: GrowthParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._trends = [Trend(seconds, params.forget_windows or 1.0) for seconds in params.windows_seconds]

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where the value is NaN."""
        value = table.column(self.features[0])
        scores = self._of_windows(table.end_ns, value)
        known = np.isfinite(scores).any(axis=0) & np.isfinite(value)
        score = np.where(known, np.max(scores, axis=0, initial=0.0, where=np.isfinite(scores)), np.nan)
        unknown = np.full(len(value), np.nan)
        return Scores(score=score, expected=unknown, lower=unknown, upper=unknown)

    def _of_windows(self, end_ns: int, value: FloatArray) -> FloatArray:
        """(windows, n)."""
        for trend in self._trends:
            trend.make_room(len(value))
        with np.errstate(all="ignore"):
            return np.stack([self._of_window(trend, end_ns, value) for trend in self._trends])

    def _of_window(self, trend: Trend, end_ns: int, value: FloatArray) -> FloatArray:
        slope, level, steadiness = (
            part[: len(value)] for part in (trend.slope, trend.level_at(end_ns), trend.steadiness)
        )
        sign = 1.0 if self._params.direction == "above" else -1.0
        middle = level - slope * trend.window_seconds / 2
        growing = (sign * slope > 0) & (sign * (value - middle) > 0) & self._is_beyond_past(trend, slope, level, sign)
        soon = np.clip(self._params.reach * trend.window_seconds / self._seconds_left(slope, level), 0.0, 1.0)
        return np.where(np.isnan(slope), np.nan, np.where(growing, 100.0 * steadiness * soon, 0.0))

    def _is_beyond_past(self, trend: Trend, slope: FloatArray, level: FloatArray, sign: float) -> BoolArray:
        if self._params.forget_windows is None:
            return np.ones(len(level), np.bool_)
        past = (trend.past_high if sign > 0 else trend.past_low)[: len(level)]
        within: BoolArray = sign * (level - past) <= np.abs(slope) * trend.window_seconds / 4  # NaN: no past is within
        return ~within

    def _seconds_left(self, slope: FloatArray, level: FloatArray) -> FloatArray:
        # at its limit already: soon, however it is counted
        return np.maximum((self._params.limit - level) / slope, 1e-9)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Take in the values of all series."""
        for trend in self._trends:
            trend.add(table.end_ns, table.column(self.features[0]))

    def about(self, table: FeatureTable) -> Callable[[int, str], str]:
        """Words for the series at a place: how fast it grows, and when it will be at its limit, in its unit's name."""
        scores = self._of_windows(table.end_ns, table.column(self.features[0]))
        lines = np.stack([(trend.slope, trend.level_at(table.end_ns)) for trend in self._trends])
        return lambda at, unit_name: self._sentence(scores[:, at], lines[:, :, at], unit_name)

    def _sentence(self, scores: FloatArray, lines: FloatArray, unit_name: str) -> str:
        if not np.nan_to_num(scores).any():
            return "no longer growing"
        slope, level = lines[int(np.nanargmax(scores))].tolist()
        left_seconds = max((self._params.limit - level) / slope, 0.0)
        full = "full" if unit_name.endswith("_ratio") and self._params.limit == 1.0 else None
        limit = full or f"at {readable(self._params.limit, unit_name)}"
        way = "rising" if slope > 0 else "falling"
        growth = readable_change(abs(slope) * HOUR_SECONDS, unit_name)
        return f"{way} {growth} an hour, {limit} in {rough_duration(left_seconds)}"

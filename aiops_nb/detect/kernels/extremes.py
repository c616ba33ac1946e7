"""Faults by their size at this hour and weekday and beyond what was ever seen, and by the level of the last values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    BAND_DEVIATIONS,
    centre_with,
    outside_range,
    scale_before,
    step_scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, bin_of, larger, log, root, where
from aiops_nb.detect.arithmetic.recent_level import Level, empty_level, follow_level, learn_level, moved
from aiops_nb.detect.arithmetic.surprise import BINS, SILENT_POINTS, Histograms, density, empty_histograms, learn_bins
from aiops_nb.detect.arithmetic.tail_probability import (
    ANY_BINS,
    SURPRISE_BINS,
    Calibration,
    bin_at_place,
    bin_place,
    empty_calibration,
    learn_scores,
    rarity,
    tail,
    when_warm,
)
from aiops_nb.detect.kernel import Kernel, StreamParams
from aiops_nb.detect.kernels.facts import EDGES, FACT_NAMES, FACTS, shared
from aiops_nb.detect.kernels.seasonal import (
    Seasonal,
    SeasonalParams,
    begin_seasonal,
    deviation_at,
    empty_seasonal,
    follow_seasonal,
    judge_seasonal,
    learn_seasonal,
    off_season,
    season_history,
)

PICKS = FACTS + 3
RECENT_POINTS, BEFORE_POINTS = 16, 100
FAULT_AHEAD = 0.5  # one tail alone is more often large than the mean of two


class ExtremesParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="extremes"):
    """Parameters of the detector of extremes: those of every streaming detector."""


class Extremes(NamedTuple):
    """State of n series; `picked` (n, PICKS) holds the bins of the value last judged, for learning it."""

    season: Seasonal
    facts: Histograms
    surprise: Calibration
    novelty: Calibration
    level: Level
    shift: Calibration
    picked: Bytes


def empty_extremes(count: int, bins: int, params: ExtremesParams) -> Extremes:
    """Nothing learned yet."""
    return Extremes(
        empty_seasonal(count, bins, SeasonalParams()),
        empty_histograms(count, FACTS),
        empty_calibration(count, 1, SURPRISE_BINS),
        empty_calibration(count, 1, ANY_BINS),
        empty_level(count, RECENT_POINTS, BEFORE_POINTS),
        empty_calibration(count, 1, ANY_BINS),
        np.zeros(count * PICKS, np.uint8),
    )


def begin_extremes(series: Indices, x: FloatArray, s: Extremes) -> None:
    """Start series at their first value."""
    begin_seasonal(series, x, s.season)


def _fact_surprises(series: Indices, x: FloatArray, time_bin: Indices, s: Extremes) -> tuple[FloatArray, ...]:
    """Surprise over each of FACT_NAMES; their bins are picked for learning."""
    base, first = s.season.base, series * PICKS
    scale = scale_before(series, x, base)
    off = off_season(series, x, time_bin, s.season) / deviation_at(series, x, time_bin, s.season)
    s.picked[first] = bin_of(EDGES, (x - centre_with(series, x, base)) / scale) + 1
    s.picked[first + 1] = bin_of(EDGES, (x - base.last[series]) / step_scale_before(series, scale, base)) + 1
    s.picked[first + 2] = bin_of(EDGES, off) + 1
    value = -log(density(series * FACTS * BINS + s.picked[first], series, s.facts))
    change = -log(density((series * FACTS + 1) * BINS + s.picked[first + 1], series, s.facts))
    return value, change, -log(density((series * FACTS + 2) * BINS + s.picked[first + 2], series, s.facts))


def _tails(
    series: Indices, x: FloatArray, time_bin: Indices, s: Extremes
) -> tuple[FloatArray, FloatArray, tuple[FloatArray, ...]]:
    """Tail of the distance beyond the range seen, tail of the mean surprise over the facts, and the surprises."""
    base, first = s.season.base, series * PICKS + FACTS
    learned = base.learned[series]
    surprises = _fact_surprises(series, x, time_bin, s)
    mean = (surprises[0] + surprises[1] + surprises[2]) / FACTS
    rare = bin_place(where(learned > SILENT_POINTS, mean, 0.0), s.surprise)
    new = bin_place(outside_range(series, x, scale_before(series, x, base), base), s.novelty)
    s.picked[first] = bin_at_place(rare, s.surprise)
    s.picked[first + 1] = bin_at_place(new, s.novelty)
    return tail(series, 0, new, learned, s.novelty), tail(series, 0, rare, learned, s.surprise), surprises


def _extreme(series: Indices, x: FloatArray, time_bin: Indices, season: FloatArray, s: Extremes) -> FloatArray:
    """The larger of both channels of size."""
    new, rare, _ = _tails(series, x, time_bin, s)
    return larger(larger(root((rare * rare + new * new) / 2.0), season - FAULT_AHEAD), 0.0)


def _shift(series: Indices, x: FloatArray, expected: FloatArray, half_band: FloatArray, s: Extremes) -> FloatArray:
    """Tail of the distance of the last values from those before."""
    raw = moved(series, (x - expected) * BAND_DEVIATIONS / half_band, s.level)
    return rarity(series, raw, s.season.base.learned[series], s.picked, series * PICKS + FACTS + 2, s.shift)


def judge_extremes(
    series: Indices, x: FloatArray, time_bin: Indices, s: Extremes
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Root mean square of size and shift; what was expected and its band are those of `seasonal`."""
    season, expected, half_band = judge_seasonal(series, x, time_bin, s.season)
    extreme = when_warm(_extreme(series, x, time_bin, season, s), s.season.base.learned[series])
    shift = _shift(series, x, expected, half_band, s)
    return root((extreme * extreme + shift * shift) / 2.0), expected, half_band


def explain_extremes(series: Indices, x: FloatArray, time_bin: Indices, s: Extremes) -> tuple[FloatArray, ...]:
    """What novelty adds, each fact by its part of the surprise, and the shift; the season counts as the time of day."""
    season, expected, half_band = judge_seasonal(series, x, time_bin, s.season)
    new, rare, surprises = _tails(series, x, time_bin, s)
    value, change, hour = shared(rare * rare, surprises)
    of_season = larger(season - FAULT_AHEAD, 0.0)
    shift = _shift(series, x, expected, half_band, s)
    return new * new, value, change, hour + where(of_season > 0.0, of_season * of_season, 0.0), shift * shift


def learn_extremes(series: Indices, x: FloatArray, time_bin: Indices, s: Extremes) -> None:
    """Take in the value just judged."""
    first = series * PICKS
    learn_bins(series, s.picked, first, FACTS, s.facts)
    learn_scores(series, s.picked, first + FACTS, s.surprise)
    learn_scores(series, s.picked, first + FACTS + 1, s.novelty)
    learn_scores(series, s.picked, first + FACTS + 2, s.shift)
    learn_level(series, s.level)
    learn_seasonal(series, x, time_bin, s.season)


def follow_extremes(series: Indices, x: FloatArray, s: Extremes) -> None:
    """Remember the value as the last one, without learning from it."""
    follow_level(series, s.level)
    follow_seasonal(series, x, s.season)


def history_of_extremes(series: Indices, time_bin: Indices, s: Extremes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """See `Kernel.history`."""
    return season_history(series, time_bin, s.season)


KERNEL = Kernel(
    empty_extremes,
    begin_extremes,
    judge_extremes,
    learn_extremes,
    follow_extremes,
    explain_extremes,
    ("new value", *FACT_NAMES, "recent level"),
    history_of_extremes,
)

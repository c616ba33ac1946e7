"""The load of each second: days, weeks and slow wandering, 1 on the average of a week."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from aiops_nb.collect.synthetic.checks import zone_of
from aiops_nb.collect.synthetic.shape import Shape
from aiops_nb.core.types import FloatArray, IntArray

_DAY, _WEEK = 86_400, 604_800
_TO_MONDAY = 3 * _DAY  # 1970 began on a Thursday
_WANDER_SECONDS = 600
_EVENING, _DAWN = 21 * 3600, 3 * 3600  # between them a working day becomes a day off
# A friday evening, and what follows; seconds of a week that begins on Monday.
_TURNS = (_DAWN, 4 * _DAY + _EVENING, 5 * _DAY + _DAWN, 6 * _DAY + _EVENING, 7 * _DAY + _DAWN)

RATE_STREAM, HOST_STREAM = 1, 2


def load(shape: Shape, seed: int, epoch_seconds: IntArray) -> FloatArray:
    """Rate by its weekly mean in each second, (seconds,).

    Examples
    --------
    >>> night, noon = 1_767_578_400, 1_767_618_000  # Monday 2026-01-05, 02:00 and 13:00 UTC
    >>> load(Shape(wander_ratio=0), 0, np.array([night, noon])).round(2)
    array([0.63, 1.67])
    """
    rhythm = _of_week(shape, _week_seconds(shape.timezone, epoch_seconds)) / _mean_of_week(shape)
    if not shape.wander_ratio:
        return rhythm
    slow = wander(seed, RATE_STREAM, epoch_seconds, 1)[:, 0]
    wandering: FloatArray = rhythm * np.exp(shape.wander_ratio * slow - 0.5 * shape.wander_ratio**2)
    return wandering


def wander(seed: int, stream: int, epoch_seconds: IntArray, width: int) -> FloatArray:
    """Slow noise of about unit deviation, (seconds, width): straight lines between a draw every ten minutes."""
    knots = epoch_seconds // _WANDER_SECONDS
    first = int(knots.min())
    drawn = np.array(
        [
            np.random.default_rng((seed, stream, knot)).standard_normal(width)
            for knot in range(first, int(knots.max()) + 2)
        ]
    )
    share = (epoch_seconds % _WANDER_SECONDS / _WANDER_SECONDS)[:, None]
    place = knots - first
    slow: FloatArray = (1 - share) * drawn[place] + share * drawn[place + 1]
    return slow


def _week_seconds(zone: str, epoch_seconds: IntArray) -> IntArray:
    """Local seconds since Monday, 00:00."""
    quarters, place = np.unique(epoch_seconds // 900, return_inverse=True)  # clocks are set at quarters of an hour
    offsets = np.array([_offset_seconds(zone, quarter) for quarter in quarters.tolist()], np.int64)
    local: IntArray = (epoch_seconds + offsets[place] + _TO_MONDAY) % _WEEK
    return local


@lru_cache(maxsize=4096)
def _offset_seconds(zone: str, quarter: int) -> int:
    offset = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone_of(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _of_week(shape: Shape, seconds: IntArray) -> FloatArray:
    angle = 2 * np.pi * (seconds / _DAY - shape.peak_hour / 24)
    # The second harmonic makes the night longer and flatter than the day; it cannot make the rate negative.
    day = 1 + shape.day_swing_ratio * (0.9 * np.cos(angle) + 0.1 * np.cos(2 * angle))
    ratio = shape.weekend_ratio
    since_dawn = (seconds - _DAWN) % _WEEK + _DAWN
    rhythm: FloatArray = day * np.interp(since_dawn, _TURNS, (1.0, 1.0, ratio, ratio, 1.0))
    return rhythm


@lru_cache(maxsize=64)
def _mean_of_week(shape: Shape) -> float:
    return float(_of_week(shape, np.arange(0, _WEEK, 300)).mean()) or 1.0

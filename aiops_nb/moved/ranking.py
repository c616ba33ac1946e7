"""Series ranked by how far they left their own baseline, with the time at which each began to.

A plain robust ranking: median and MAD of each series before the range, against its sustained distance within it. The
same measure of stretches before the range, in which nothing is claimed to have happened, says what chance makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops_nb.core.types import BoolArray, FloatArray, IntArray

MAD_SCALE = 1.4826  # of a normal distribution
FEWEST_BEFORE = 10  # known windows that make a baseline
FEWEST_DURING = 3
TOP_SHARE = 0.1  # the distance is the mean of the largest tenth of the windows: a short fault counts, one window not
LEAST_DISTANCE = 5.0  # deviations; noise whose 99th percentile is 3 reaches 3 to 4
CHANCE_FACTOR = 1.5
STRETCHES = 3  # of the time before, measured as the range is
GONE_SHARE = 0.2
DISTANCE_WITHOUT_VALUES = 10.0  # of series that end or begin: clear, behind those that moved far
DISTANCE_FROM_NOTHING = 20.0  # of the largest value of what was always 0
ONSET_DISTANCE, ONSET_SHARE = 4.0, 0.25
RELATIVE_FLOOR = 0.02  # of the baseline: a constant series has no deviation of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifts:
    """How each of n series moved; arrays are (n,), NaN and 0 where it is not known.

    Attributes
    ----------
    distance
        Sustained distance from the baseline in its own deviations; NaN without a baseline.
    change
        1 up, -1 down, 2 began to exist, -2 ended, 0 not known.
    before, during
        Medians before the range, and from the onset to the end of the range.
    onset_ns
        End of the first window that is far from the baseline, UTC ns; 0 where there is none.
    calm_ns
        End of the last window before it: the series moved between the two.
    is_clear
        Whether it moved further than chance makes in this set of series.
    """

    distance: FloatArray
    change: IntArray
    before: FloatArray
    during: FloatArray
    onset_ns: IntArray
    calm_ns: IntArray
    is_clear: BoolArray

    @property
    def order(self) -> IntArray:
        """Places of the series: the clear ones first, each group by its distance; those without one last."""
        distance = np.nan_to_num(self.distance, nan=-1.0)
        order: IntArray = np.lexsort((np.arange(len(distance)), -distance, ~self.is_clear))
        return order


def rank_moved(values: FloatArray, times_ns: IntArray, start_ns: int, floors: FloatArray | None = None) -> Shifts:
    """How far each series left its baseline from `start_ns` on.

    Costs a few sorts of the values: 0.1 s for 1,000 series of 1,800 windows.

    Parameters
    ----------
    values
        (n, windows), NaN where not known.
    times_ns
        (windows,) ends of the windows, rising; those up to `start_ns` are the baseline.
    start_ns
        Where the range begins.
    floors
        (n,) smallest deviation of each series in its own unit: what nobody would call a change. None: 0.

    Returns
    -------
    Shifts
        In the order of `values`.

    Examples
    --------
    >>> times = np.arange(1, 61) * 1_000_000_000
    >>> calm = np.tile([1.0, 2.0, 3.0], 20)
    >>> moved = rank_moved(np.stack([calm, np.where(times > 45e9, calm + 50, calm)]), times, 40_000_000_000)
    >>> moved.order.tolist(), moved.is_clear.tolist(), moved.onset_ns.tolist()
    ([1, 0], [False, True], [0, 46000000000])
    """
    count = len(values)
    begin = int(np.searchsorted(times_ns, start_ns, side="right"))
    if not count or not 0 < begin < values.shape[1]:
        return _unknown(count)
    held = np.zeros(count) if floors is None else np.asarray(floors, np.float64)
    baseline = _baseline(values[:, :begin], held)
    distances = _distances(values[:, begin:], baseline)
    distance = _sustained(distances)
    change = _ends(values[:, :begin], values[:, begin:])
    distance = np.where(np.abs(change) == 2, DISTANCE_WITHOUT_VALUES, distance)
    chance = _by_chance(values[:, :begin], held, values.shape[1] - begin)
    limit = np.maximum(CHANCE_FACTOR * np.nan_to_num(chance), _common_limit(chance))
    onset, begun = _onsets(distances, values[:, begin:], change, distance)
    after = values[:, begin:].copy()
    after[np.arange(after.shape[1])[None, :] < np.where(begun, onset, 0)[:, None]] = np.nan
    during = _medians(after)
    way = np.where(during >= baseline[0], 1, -1)
    change = np.where(change != 0, change, np.where(np.isfinite(distance), way, 0))
    at = np.minimum(begin + onset, len(times_ns) - 1)
    return Shifts(
        distance=distance,
        change=change.astype(np.int64),
        before=baseline[0],
        during=during,
        onset_ns=np.where(begun, times_ns[at], 0).astype(np.int64),
        calm_ns=np.where(begun, times_ns[np.maximum(at - 1, 0)], 0).astype(np.int64),
        is_clear=np.nan_to_num(distance, nan=-1.0) > limit,
    )


def _unknown(count: int) -> Shifts:
    """Without a baseline, or without a range."""
    nothing, never = np.full(count, np.nan), np.zeros(count, np.int64)
    return Shifts(
        distance=nothing,
        change=never,
        before=nothing,
        during=nothing,
        onset_ns=never,
        calm_ns=never,
        is_clear=np.zeros(count, np.bool_),
    )


def _baseline(before: FloatArray, floors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median and deviation of each series; NaN where too little is known.

    Of a series with heavy tails the deviation is a third of its 99th percentile: its own outliers are 3 deviations.
    """
    middle = _medians(before)
    middle[np.isfinite(before).sum(axis=1) < FEWEST_BEFORE] = np.nan
    apart = np.abs(before - middle[:, None])
    tail = _quantiles(np.abs(_smoothed(before - middle[:, None])), 0.99) / 3.0
    level = np.where(middle == 0, _quantiles(np.abs(before), 1.0), np.abs(middle))
    floor = np.maximum(floors, RELATIVE_FLOOR * np.nan_to_num(level))
    deviation = np.fmax(np.fmax(MAD_SCALE * _medians(apart), tail), floor)
    return middle, deviation


def _distances(values: FloatArray, baseline: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Of each window, in deviations of its series."""
    apart = values - baseline[0][:, None]
    # what was always 0, without a floor, has no unit to measure a change with: its largest is called far
    largest = _quantiles(np.abs(apart), 1.0) / DISTANCE_FROM_NOTHING
    deviation = np.where(baseline[1] > 0, baseline[1], np.where(largest > 0, largest, 1.0))
    return np.abs(_smoothed(apart / deviation[:, None]))


def _sustained(distances: FloatArray) -> FloatArray:
    """Mean of the largest tenth of the windows, at least of three; NaN where fewer are known. At most 1,000."""
    known = np.isfinite(distances).sum(axis=1)
    most = max(FEWEST_DURING, int(np.ceil(TOP_SHARE * distances.shape[1])))
    filled = np.where(np.isfinite(distances), np.minimum(distances, 1000.0), -1.0)
    top = np.sort(filled, axis=1)[:, ::-1][:, :most]
    wanted = np.maximum(FEWEST_DURING, np.ceil(TOP_SHARE * known)).astype(np.int64)
    used = np.arange(top.shape[1])[None, :] < wanted[:, None]
    total = np.where(used, top, 0.0).sum(axis=1)
    return np.where(known >= FEWEST_DURING, total / wanted, np.nan)


def _by_chance(before: FloatArray, floors: FloatArray, length: int) -> FloatArray:
    """The largest distance of each series in stretches of its own past, each against the time before the stretch."""
    windows = before.shape[1]
    length = min(length, windows // (STRETCHES + 1))
    found = np.full(len(before), np.nan)
    if length < FEWEST_DURING:
        return found
    for number in range(1, STRETCHES + 1):
        first = windows - number * length
        stretch = before[:, first : first + length]
        found = np.fmax(found, _sustained(_distances(stretch, _baseline(before[:, :first], floors))))
    return found


def _common_limit(chance: FloatArray) -> float:
    """What the third of all series reaches by chance, with a margin: two may have had an incident of their own."""
    known = np.sort(chance[np.isfinite(chance)])
    common = float(known[-min(3, 1 + len(known) // 20)]) if len(known) else 0.0
    return max(LEAST_DISTANCE, CHANCE_FACTOR * min(common, 100.0))


def _ends(before: FloatArray, during: FloatArray) -> IntArray:
    """2 of series that have values only within the range, -2 of those that have nearly none there any more."""
    seen, share = np.isfinite(before).mean(axis=1), np.isfinite(during).mean(axis=1)
    gone = (np.isfinite(before).sum(axis=1) >= FEWEST_BEFORE) & (share <= GONE_SHARE * seen)
    new = (before.shape[1] >= FEWEST_BEFORE) & (seen == 0) & (np.isfinite(during).sum(axis=1) >= FEWEST_DURING)
    return np.where(gone, -2, np.where(new, 2, 0)).astype(np.int64)


def _onsets(
    distances: FloatArray, during: FloatArray, change: IntArray, distance: FloatArray
) -> tuple[IntArray, BoolArray]:
    """Place in the range of the first window that is far away, and whether there is one."""
    level = np.maximum(ONSET_DISTANCE, ONSET_SHARE * np.nan_to_num(distance))
    known = np.isfinite(during)
    last_known = during.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    after_last = np.where(known.any(axis=1), np.minimum(last_known + 1, during.shape[1] - 1), 0)
    far = np.where(np.isfinite(distances), distances, 0.0) >= level[:, None]
    onset = np.argmax(far, axis=1)
    onset = np.where(change == 2, np.argmax(known, axis=1), np.where(change == -2, after_last, onset))
    return onset.astype(np.int64), far.any(axis=1) | (np.abs(change) == 2)


def _smoothed(values: FloatArray) -> FloatArray:
    """The median of each window and its two neighbours: one window alone moves nothing. Where one is unknown, NaN."""
    if values.shape[1] < 3:
        return values
    left, middle, right = values[:, :-2], values[:, 1:-1], values[:, 2:]
    low, high = np.minimum(left, middle), np.maximum(left, middle)
    inner = np.maximum(low, np.minimum(high, right))
    return np.concatenate([values[:, 1:2], inner, values[:, -2:-1]], axis=1)


def _medians(values: FloatArray) -> FloatArray:
    return _quantiles(values, 0.5)


def _quantiles(values: FloatArray, share: float) -> FloatArray:
    """Quantile of the known values of each row, NaN where there are none; several times as fast as nanquantile."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(values, axis=1)  # NaN last
    place = share * np.maximum(np.isfinite(values).sum(axis=1) - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.ceil(place).astype(np.int64)
    rows = np.arange(len(values))
    found: FloatArray = ordered[rows, low] + (place - low) * (ordered[rows, high] - ordered[rows, low])
    return found

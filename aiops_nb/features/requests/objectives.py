"""Errors over the long windows of service level objectives: minutes to days, in bounded memory."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray
from aiops_nb.features.requests.objective_history import SeriesPast
from aiops_nb.features.silent import NEVER

LONG_WINDOWS_SECONDS = (300, 1800, 3600, 7200, 21600, 86400, 259200)
OBJECTIVE_FEATURES = (
    *(f"error_ratio_{seconds}s" for seconds in LONG_WINDOWS_SECONDS),
    *(f"request_count_{seconds}s" for seconds in LONG_WINDOWS_SECONDS),
    "history_seconds",
)
FINE_SECONDS, COARSE_SECONDS = 60, 900
FINE_UP_TO_SECONDS = 21600


class _Buckets:
    """Requests and errors of n series in a ring of buckets, and their sums over the windows that it serves."""

    def __init__(self, bucket_ticks: int, windows_ticks: list[int]) -> None:
        self._bucket_ticks = bucket_ticks
        self._spans = [-(-ticks // bucket_ticks) for ticks in windows_ticks]
        self._ring = np.zeros((max(self._spans) + 1, 2, 4), np.int64)
        self._whole = np.zeros((len(self._spans), 2, 4), np.int64)
        self._bucket: int | None = None

    def move(self, window: int, amounts: IntArray) -> IntArray:
        """Take the requests and errors of a closed window, (2, n); gives their sums, (windows, 2, n)."""
        count = amounts.shape[1]
        self._make_room(count)
        self._turn_to(window // self._bucket_ticks)
        now = self._ring[window // self._bucket_ticks % len(self._ring)]
        now[:, :count] += amounts
        sums: IntArray = self._whole[:, :, :count] + now[:, :count]
        return sums

    def move_windows(self, window: int, amounts: IntArray) -> IntArray:
        """The same of windows in a row, (w, 2, n); gives (w, windows, 2, n)."""
        w, _, count = amounts.shape
        self._make_room(count)
        sums = np.empty((w, len(self._spans), 2, count), np.int64)
        first = 0
        while first < w:
            bucket = (window + first) // self._bucket_ticks
            last = min((bucket + 1) * self._bucket_ticks - window, w)
            self._turn_to(bucket)
            now = self._ring[bucket % len(self._ring)][:, :count]
            so_far = now + np.cumsum(amounts[first:last], axis=0)
            np.add(self._whole[:, :, :count], so_far[:, np.newaxis], out=sums[first:last])
            now[...] = so_far[-1]
            first = last
        return sums

    def recall(self, window: int, place: int, windows: IntArray, amounts: IntArray) -> None:
        """Add what earlier windows (k,) brought to the series at `place`, (2, k); `window` is the next to be closed."""
        self._make_room(place + 1)
        bucket, buckets = window // self._bucket_ticks, windows // self._bucket_ticks
        self._turn_to(bucket)
        kept = (buckets > bucket - len(self._ring)) & (buckets <= bucket)
        np.add.at(self._ring[:, :, place], buckets[kept] % len(self._ring), amounts.T[kept])
        self._sum_up(bucket)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._ring.shape[2])
        if capacity > self._ring.shape[2]:
            self._ring, self._whole = widened(self._ring, capacity), widened(self._whole, capacity)

    def _turn_to(self, bucket: int) -> None:
        if bucket == self._bucket:
            return
        first = bucket if self._bucket is None else self._bucket + 1
        for gone in range(max(first, bucket - len(self._ring) + 1), bucket + 1):
            self._ring[gone % len(self._ring)] = 0
        self._bucket = bucket
        self._sum_up(bucket)

    def _sum_up(self, bucket: int) -> None:
        for place, span in enumerate(self._spans):
            ages = (bucket - np.arange(1, span + 1)) % len(self._ring)
            self._whole[place] = self._ring[ages].sum(axis=0)


class ObjectiveFeatures:
    """Error ratio and requests of each series over windows from 5 minutes to 3 days, for burn rates.

    Up to 6 hours are kept by the minute, longer ones by quarters of an hour; a window is up to one of these longer than
    said. A ratio is NaN until the series is as old as its window: too little history is no sign at all.
    `history_seconds` is its age. Memory: 10 KB a series.

    Parameters
    ----------
    tick_seconds
        Length of a window of the stream.

    Examples
    --------
    >>> features = ObjectiveFeatures(tick_seconds=60.0)
    >>> for minute in range(6):
    ...     values = features.close(minute, np.array([100]), np.array([1 if minute == 5 else 0]))
    >>> values[[0, 1, 7, -1], 0].round(4).tolist()
    [0.0017, nan, 600.0, 360.0]
    """

    def __init__(self, tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        fine = [seconds for seconds in LONG_WINDOWS_SECONDS if seconds <= FINE_UP_TO_SECONDS]
        coarse = [seconds for seconds in LONG_WINDOWS_SECONDS if seconds > FINE_UP_TO_SECONDS]
        self._buckets = (self._ring(FINE_SECONDS, fine), self._ring(COARSE_SECONDS, coarse))
        self._first: IntArray = np.full(4, NEVER, np.int64)

    def _ring(self, bucket_seconds: float, windows_seconds: list[int]) -> _Buckets:
        ticks = [max(round(seconds / self._tick_seconds), 1) for seconds in windows_seconds]
        return _Buckets(max(round(bucket_seconds / self._tick_seconds), 1), ticks)

    def recall(self, window: int, place: int, past: SeriesPast, first_window: int) -> None:
        """Take in what was before this run, of the series at `place`; `window` is the next to be closed.

        What began later than `first_window`, the first of this run, is left out: a run that reads older rows than it
        recalls counts them itself.
        """
        tick_ns = round(self._tick_seconds * NS_PER_SECOND)
        windows = np.array(past.starts_seconds, np.int64) * NS_PER_SECOND // tick_ns
        earlier = windows <= first_window
        if not earlier.any():
            return
        amounts = np.array([past.requests, past.errors], np.int64)[:, earlier]
        for ring in self._buckets:
            ring.recall(window, place, windows[earlier], amounts)
        self._know(place + 1)
        self._first[place] = past.since_ns // tick_ns

    def close(self, window: int, requests: IntArray, errors: IntArray) -> FloatArray:
        """Take what the window brought, each (n,); gives the features, (15, n)."""
        amounts = np.stack([requests, errors]).astype(np.int64)
        sums = np.concatenate([ring.move(window, amounts) for ring in self._buckets]).astype(np.float64)
        history = self._history(window, amounts[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = sums[:, 1] / sums[:, 0]
        young = history < np.array(LONG_WINDOWS_SECONDS)[:, None]
        return np.concatenate([np.where(young, np.nan, ratio), sums[:, 0], history[None]])

    def close_windows(self, window: int, requests: IntArray, errors: IntArray) -> FloatArray:
        """The same of windows in a row, (w, n) each; gives the features, (w, 15, n)."""
        amounts = np.stack([requests, errors], axis=1).astype(np.int64)
        sums = np.concatenate([ring.move_windows(window, amounts) for ring in self._buckets], axis=1).astype(np.float64)
        history = self._history_windows(window, amounts[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = sums[:, :, 1] / sums[:, :, 0]
        young = history[:, np.newaxis] < np.array(LONG_WINDOWS_SECONDS)[:, None]
        return np.concatenate([np.where(young, np.nan, ratio), sums[:, :, 0], history[:, np.newaxis]], axis=1)

    def _history_windows(self, window: int, requests: IntArray) -> FloatArray:
        w, count = requests.shape
        self._know(count)
        first, any_request = self._first[:count], requests > 0
        begins = (first == NEVER) & any_request.any(axis=0)
        first[begins] = window + np.argmax(any_request, axis=0)[begins]
        now = window + np.arange(w)[:, np.newaxis]
        return np.where((first == NEVER) | (first > now), 0.0, (now + 1 - first) * self._tick_seconds)

    def _history(self, window: int, requests: IntArray) -> FloatArray:
        """Seconds from the first window with a request to the end of this one; 0 before."""
        self._know(len(requests))
        first = self._first[: len(requests)]
        first[(first == NEVER) & (requests > 0)] = window
        return np.where(first == NEVER, 0.0, (window + 1 - first) * self._tick_seconds)

    def _know(self, count: int) -> None:
        capacity = capacity_for(count, len(self._first))
        if capacity > len(self._first):
            self._first = widened(self._first, capacity, NEVER)

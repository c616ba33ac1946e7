"""How many requests there were, how they were answered, and how fast: of each series, or of all of an origin."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.features.request_totals import Totals

ANSWER_FEATURES = (
    "count",
    "rate_hz",
    "error_count",
    "span_count",
    "span_error_count",
    "error_ratio",
    "status_4xx_ratio",
    "status_429_ratio",
    "status_5xx_ratio",
    "failed_ratio",
    "duration_mean_seconds",
    "duration_std_seconds",
    "duration_p50_seconds",
    "duration_p95_seconds",
    "duration_p99_seconds",
)
QUANTILES = (0.5, 0.95, 0.99)
NEVER = -1 << 62


def answers(
    now: Totals | None, span: Totals, span_seconds: float, quantiles: FloatArray, count: int
) -> list[FloatArray]:
    """Values of `ANSWER_FEATURES`, each (count,): of the window `now`, and of the span that ends with it."""
    rate = span.count[:count] / span_seconds
    requests, errors = (np.zeros(count), np.zeros(count)) if now is None else (now.count[:count], now.errors[:count])
    return [
        requests,
        rate,
        errors,
        span.count[:count],
        span.errors[:count],
        *span.ratios(count),
        *span.moments(count),
        *quantiles,
    ]


class Silence:
    """Seconds since the last window with a request (or a sample), 0 in one; NaN before the first."""

    def __init__(self, tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self._last: IntArray = np.full(64, NEVER, np.int64)

    def close(self, window: int, requests: FloatArray) -> FloatArray:
        """Take the requests of each series in a closed window, (n,)."""
        capacity = capacity_for(len(requests), len(self._last))
        if capacity > len(self._last):
            self._last = widened(self._last, capacity, NEVER)
        last = self._last[: len(requests)]
        last[requests > 0] = window
        return np.where(last == NEVER, np.nan, (window - last) * self._tick_seconds)

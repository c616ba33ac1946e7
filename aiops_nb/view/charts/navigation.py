"""Where the time axis goes when a person pans or zooms it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aiops_nb.core.types import NS_PER_SECOND

DEFAULT_SPAN_SECONDS = 120
LEAST_SECONDS, MOST_SECONDS = 5, 86_400
MOST_SHARE, MOST_FACTOR = 4.0, 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """What the time axis shows: the last seconds, or as many around a moment in the past (UTC ns)."""

    span_seconds: int = DEFAULT_SPAN_SECONDS
    moment_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The times that there are, and the end of what is shown (UTC ns)."""

    oldest_ns: int
    newest_ns: int
    end_ns: int


def panned(window: TimeWindow, extent: Extent, share: float) -> TimeWindow:
    """Move by a share of the span, > 0 later; from the newest row on it follows the newest rows again.

    Examples
    --------
    >>> extent = Extent(oldest_ns=0, newest_ns=1000 * 10**9, end_ns=1000 * 10**9)
    >>> earlier = panned(TimeWindow(span_seconds=100), extent, -0.5)
    >>> earlier.moment_ns == 900 * 10**9
    True
    >>> panned(earlier, Extent(oldest_ns=0, newest_ns=1000 * 10**9, end_ns=950 * 10**9), 0.5).moment_ns is None
    True
    """
    span_ns = window.span_seconds * NS_PER_SECOND
    end_ns = extent.end_ns + round(_within(share, MOST_SHARE) * span_ns)
    return _ending(window.span_seconds, max(end_ns, extent.oldest_ns + span_ns), extent)


def zoomed(window: TimeWindow, extent: Extent, at: float, factor: float) -> TimeWindow:
    """Multiply the span; the time at the share `at` of the axis stays where it is. What follows keeps following.

    Examples
    --------
    >>> extent = Extent(oldest_ns=0, newest_ns=1000 * 10**9, end_ns=600 * 10**9)
    >>> near = zoomed(TimeWindow(span_seconds=200, moment_ns=500 * 10**9), extent, 0.25, 0.5)
    >>> near.span_seconds, near.moment_ns == 475 * 10**9
    (100, True)
    """
    factor = _within(factor, MOST_FACTOR) if factor > 0 else 1.0
    span = min(max(math.ceil(window.span_seconds * factor), LEAST_SECONDS), MOST_SECONDS)
    if window.moment_ns is None:
        return TimeWindow(span_seconds=span)
    at = min(max(at, 0.0), 1.0)
    fixed_ns = extent.end_ns - round((1.0 - at) * window.span_seconds * NS_PER_SECOND)
    return _ending(span, fixed_ns + round((1.0 - at) * span * NS_PER_SECOND), extent)


def _ending(span_seconds: int, end_ns: int, extent: Extent) -> TimeWindow:
    if end_ns >= extent.newest_ns:
        return TimeWindow(span_seconds=span_seconds)
    return TimeWindow(span_seconds=span_seconds, moment_ns=end_ns - span_seconds * NS_PER_SECOND // 2)


def _within(value: float, most: float) -> float:
    return min(max(value, -most), most) if math.isfinite(value) else 0.0

"""What is known about clients at the end of a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray
from aiops_nb.features.clients.baseline_rates import OwnBaseline
from aiops_nb.features.clients.burst_intervals import UNIT_NS

UNIT_SECONDS = UNIT_NS / NS_PER_SECOND


MAIN_RATIO = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Totals over the span, each (client slots,), and what is expected for a client with a past of its own."""

    count: IntArray
    erred: IntArray
    refused: IntArray
    baseline_count: OwnBaseline
    baseline_refused: OwnBaseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Clients at targets over the span, each (pair slots,): requests, and intervals from burst to burst.

    `interval_units` and `interval_squares` are sums of the intervals, in units of 10 ms, and of their squares.
    """

    client: IntArray
    target: IntArray
    count: IntArray
    baseline_count: OwnBaseline
    intervals: IntArray
    interval_units: IntArray
    interval_squares: IntArray

    def periods(self, slots: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean interval in seconds and its standard deviation as a share of it, each (n,); NaN below two intervals."""
        return periods(self.intervals[slots], self.interval_units[slots], self.interval_squares[slots])


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Of all together first, then of each target, each (1 + targets,).

    `count` is of the span, `rate_hz` and `new_hz` (by clients that are new) of the last seconds.
    """

    count: IntArray
    rate_hz: FloatArray
    new_hz: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWindow:
    """One closed window. `known` is false if no client came in it; `early` while the stream warms up.

    Not every window is learned from (`learns`): totals over a minute move little in a second.
    """

    window: int
    end_ns: int
    span_seconds: float
    known: bool
    early: bool
    learns: bool
    clients: Clients
    pairs: Pairs
    targets: Targets
    newcomers_total: Callable[[], int]
    client_name: Callable[[int], str]
    client_key: Callable[[int], int]
    target_name: Callable[[int], str]

    def main_target(self, client: int) -> str:
        """The target that a client asks for eight times of ten; empty if there is none, or it is not followed."""
        pairs = self.pairs
        own = np.flatnonzero((pairs.client == client) & (pairs.count > 0))
        if not len(own):
            return ""
        most = own[np.argmax(pairs.count[own])]
        mainly = pairs.count[most] >= MAIN_RATIO * self.clients.count[client]
        return self.target_name(int(pairs.target[most])) if mainly else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """Slots excluded from learning, as rules found them anomalous, and whether there is a flood.

    Clients by requests and by refusals, pairs by requests.
    """

    count: IntArray
    refused: IntArray
    pairs: IntArray
    flood: bool


def periods(intervals: IntArray, units: IntArray, squares: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and relative standard deviation of intervals, from their number, sum and sum of squares in units of 10 ms.

    Examples
    --------
    >>> periods(np.array([3, 1]), np.array([600, 100]), np.array([120_000, 10_000]))
    (array([ 2., nan]), array([ 0., nan]))
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(intervals >= 2, units / intervals, np.nan)
        variance = np.maximum(squares / intervals - mean * mean, 0)
        return mean * UNIT_SECONDS, np.sqrt(variance) / mean

"""A flood of new clients at work: targets are judged, not clients."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.quantities import format_rate, format_share
from aiops_nb.core.types import ALL_TARGETS, BoolArray, FloatArray, IntArray
from aiops_nb.features.clients.baseline_rates import BaselineRates, OwnBaseline
from aiops_nb.features.clients.roster import NO_CLIENTS
from aiops_nb.features.clients.window import ClientWindow
from aiops_nb.rules.client.params import DistributedFloodParams
from aiops_nb.rules.client.rules import Fact
from aiops_nb.rules.client.thresholds import Movable

MOST_RATIO = 0.5


class DistributedRule(Movable[DistributedFloodParams]):
    """See `DistributedFloodParams`; what is baseline is learned from windows that are not judged a flood.

    `is_new_flood` says whether the last window was one that is not taken as baseline yet.
    """

    def __init__(self, params: DistributedFloodParams, warmup_ticks: int, settle_ticks: int, accept_ticks: int) -> None:
        super().__init__(params)
        self._baseline = BaselineRates(2, settle_ticks, accept_ticks)
        self._warmup_ticks = warmup_ticks
        self.is_new_flood = False

    def judge(self, window: ClientWindow) -> IntArray:
        """The target if it is one, all together if they are several."""
        rule, rate = self.params, window.targets.rate_hz
        baseline_rate, baseline_new = self._baseline.of(len(rate), self._warmup_ticks)
        self._baseline_rate = baseline_rate
        with np.errstate(divide="ignore", invalid="ignore"):
            self._ratio = window.targets.new_hz / rate
            self._baseline_ratio = np.where(baseline_rate > 0, baseline_new / baseline_rate, 0.0)
        least = self._baseline_ratio + rule.min_new_ratio * (1 - self._baseline_ratio)
        hit = (rate >= rule.min_rate_hz) & (rate >= rule.min_times_baseline * baseline_rate) & (self._ratio >= least)
        if window.known and not window.early:
            self._baseline.learn(np.stack([rate, window.targets.new_hz]), hit)
        places = np.flatnonzero(hit)
        self.is_new_flood = self._baseline.excluded(places.tolist())
        return NO_CLIENTS if window.early else _found(places[~self._by_one(window)[places]])

    def _by_one(self, window: ClientWindow) -> BoolArray:
        """Of which targets one client makes most of what is above the baseline, (1 + targets,): that is its flood."""
        surplus = window.targets.count - self._baseline_rate * window.span_seconds
        most = np.zeros(len(surplus))
        clients, pairs = window.clients, window.pairs
        most[0] = np.max(_surplus(clients.count, clients.baseline_count), initial=0.0)
        followed = np.flatnonzero(pairs.count)
        np.maximum.at(most, 1 + pairs.target[followed], _surplus(pairs.count, pairs.baseline_count)[followed])
        by_one: BoolArray = (surplus > 0) & (most >= MOST_RATIO * surplus)
        return by_one

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """The target."""
        return -1, place

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """How many requests, by how many clients."""
        rate, baseline = float(window.targets.rate_hz[place]), float(self._baseline_rate[place])
        target = window.target_name(place - 1) if place else ALL_TARGETS
        share, before = self._ratio[place], self._baseline_ratio[place]
        return Fact(
            target=target,
            client="",
            value=rate,
            expected=baseline,
            threshold=self.params.min_times_baseline * baseline,
            summary=f"{target}: {format_rate(rate)}, {format_share(share)} from clients not seen before, about "
            f"{window.newcomers_total():,} of them on all targets (expected {format_rate(baseline)}, "
            f"{format_share(before)} from new clients)",
        )


def _surplus(count: IntArray, baseline: OwnBaseline) -> FloatArray:
    """Requests beyond what is baseline for each slot; all of them where nothing is known."""
    return count.astype(np.float64) - np.nan_to_num(baseline.of(slice(len(count))))


def _found(places: IntArray) -> IntArray:
    targets = places[places > 0]
    whole = len(places) > len(targets)
    return places[:1] if whole and len(targets) != 1 else targets

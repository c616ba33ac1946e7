"""Rules on single clients: which of them are anomalous in a closed window, and the summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aiops_nb.core.quantities import format_duration, format_share
from aiops_nb.core.types import ALL_TARGETS, FloatArray, IntArray
from aiops_nb.features.clients.baseline_rates import BaselineLevel, OwnBaseline
from aiops_nb.features.clients.window import ClientWindow
from aiops_nb.rules.client.params import (
    ClientBurstParams,
    ClientFloodParams,
    ClientRefusedParams,
    ClientRuleParams,
    EndpointAttackParams,
)
from aiops_nb.rules.client.thresholds import Movable


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One finding, in words and numbers; numbers are NaN where they mean nothing."""

    target: str
    client: str
    value: float
    expected: float
    threshold: float
    summary: str


class ClientRule(Protocol):
    """Judges slots: of clients, of pairs of client and target, or of targets."""

    @property
    def params(self) -> ClientRuleParams:
        """What it is about."""
        ...

    def set_threshold(self, threshold: float) -> None:
        """Use another one from the next window on; ConfigError if it cannot be."""
        ...

    def judge(self, window: ClientWindow) -> IntArray:
        """The slots that are anomalous, the strongest first; then learns from the others."""
        ...

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """Numbers that stay the same for the same client and target."""
        ...

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """What was found at a place."""
        ...


class FloodRule(Movable[ClientFloodParams]):
    """See `ClientFloodParams`."""

    def __init__(self, params: ClientFloodParams, half_life_steps: float) -> None:
        super().__init__(params)
        self._baseline = BaselineLevel(half_life_steps)

    def judge(self, window: ClientWindow) -> IntArray:
        """Clients."""
        rule, count = self.params, window.clients.count
        least = max(rule.min_rate_hz * window.span_seconds, rule.min_share_ratio * int(window.targets.count[0]))
        busy = np.flatnonzero(count >= least)
        busy = busy[count[busy] >= rule.min_times_baseline * self._expected(window, busy)]
        return _judged(window, count, busy, self._baseline, window.clients.baseline_count)

    def _expected(self, window: ClientWindow, places: IntArray) -> FloatArray:
        return np.fmax(window.clients.baseline_count.of(places), self._baseline.value)

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """The client."""
        return window.client_key(place), -1

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """How many requests."""
        at = np.array([place])
        count, baseline = int(window.clients.count[place]), float(self._expected(window, at)[0])
        name, share = window.client_name(place), count / int(window.targets.count[0])
        return Fact(
            target=ALL_TARGETS,
            client=name,
            value=count,
            expected=baseline,
            threshold=self.params.min_times_baseline * baseline,
            summary=f"{name}: {_requests(count, window)}, {format_share(share)} of all traffic; "
            f"{_usually(baseline, window.clients.baseline_count.of(at)[0], 'busiest other client')}",
        )


class EndpointRule(Movable[EndpointAttackParams]):
    """See `EndpointAttackParams`."""

    def __init__(self, params: EndpointAttackParams, half_life_steps: float) -> None:
        super().__init__(params)
        self._baseline = BaselineLevel(half_life_steps)

    def judge(self, window: ClientWindow) -> IntArray:
        """Pairs."""
        rule, pairs = self.params, window.pairs
        busy = np.flatnonzero(pairs.count >= rule.min_rate_hz * window.span_seconds)
        count = pairs.count[busy]
        hit = (
            (count >= rule.min_concentration_ratio * window.clients.count[pairs.client[busy]])
            & (count >= rule.min_share_ratio * window.targets.count[1 + pairs.target[busy]])
            & (count >= rule.min_times_baseline * self._expected(window, busy))
        )
        return _judged(window, pairs.count, busy[hit], self._baseline, pairs.baseline_count)

    def _expected(self, window: ClientWindow, places: IntArray) -> FloatArray:
        return np.fmax(window.pairs.baseline_count.of(places), self._baseline.value)

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """The client and the target."""
        return _pair_identity(window, place)

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """How many requests, of whose."""
        pairs, at = window.pairs, np.array([place])
        count, baseline = int(pairs.count[place]), float(self._expected(window, at)[0])
        target, client = _pair_names(window, place)
        own = count / int(window.clients.count[pairs.client[place]])
        share = count / int(window.targets.count[1 + pairs.target[place]])
        return Fact(
            target=target,
            client=client,
            value=count,
            expected=baseline,
            threshold=self.params.min_times_baseline * baseline,
            summary=f"{target}: {_requests(count, window)} from {client}, {format_share(share)} of the endpoint's "
            f"traffic, {format_share(own)} of this client's requests; "
            f"{_usually(baseline, pairs.baseline_count.of(at)[0], 'busiest other client')}",
        )


class BurstRule(Movable[ClientBurstParams]):
    """See `ClientBurstParams`."""

    def judge(self, window: ClientWindow) -> IntArray:
        """Pairs."""
        rule, pairs = self.params, window.pairs
        least = rule.min_rate_hz * window.span_seconds
        busy = np.flatnonzero((pairs.count >= least) & (pairs.intervals >= rule.min_intervals))
        period, variation = pairs.periods(busy)
        hit = (period <= rule.max_period_seconds) & (variation <= rule.max_variation_ratio)
        hit &= ~pairs.baseline_count.regular(pairs.count[busy], busy)
        return _judged(window, pairs.count, busy[hit])

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """The client and the target."""
        return _pair_identity(window, place)

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """How often, and how regularly."""
        pairs = window.pairs
        period, spread = (float(found[0]) for found in pairs.periods(np.array([place])))
        count, seen = int(pairs.count[place]), int(pairs.intervals[place])
        target, client = _pair_names(window, place)
        return Fact(
            target=target,
            client=client,
            value=period,
            expected=math.nan,
            threshold=self.params.max_period_seconds,
            summary=f"{target}: a request from {client} every {format_duration(period)} "
            f"(varies by {format_share(spread)}); {_requests(count, window)}, {seen} such intervals",
        )


class RefusedRule(Movable[ClientRefusedParams]):
    """See `ClientRefusedParams`."""

    def judge(self, window: ClientWindow) -> IntArray:
        """Clients."""
        rule, clients = self.params, window.clients
        busy = np.flatnonzero(clients.refused >= rule.min_refused_hz * window.span_seconds)
        refused = clients.refused[busy]
        hit = refused >= rule.min_refused_ratio * clients.count[busy]
        hit &= ~clients.baseline_refused.regular(refused, busy)
        return _judged(window, clients.refused, busy[hit])

    def identity(self, window: ClientWindow, place: int) -> tuple[int, int]:
        """The client."""
        return window.client_key(place), -1

    def fact(self, window: ClientWindow, place: int) -> Fact:
        """How many refusals."""
        clients, name = window.clients, window.client_name(place)
        refused, count = int(clients.refused[place]), int(clients.count[place])
        mostly = window.main_target(place)
        where = f"; mostly {mostly}" if mostly else ""
        return Fact(
            target=ALL_TARGETS,
            client=name,
            value=refused,
            expected=float(clients.baseline_refused.of(np.array([place]))[0]),
            threshold=self.params.min_refused_hz * window.span_seconds,
            summary=f"{name}: {refused} of {_requests(count, window)} refused (401, 403, 404){where}",
        )


def _judged(
    window: ClientWindow,
    values: IntArray,
    hit: IntArray,
    baseline: BaselineLevel | None = None,
    own: OwnBaseline | None = None,
) -> IntArray:
    """The strongest first; none while the stream warms up. The busiest of the others is learned as the baseline.

    Regular clients are judged by their own past, so that one large network does not hide all others.
    """
    found = hit[:0] if window.early else hit[np.argsort(-values[hit], kind="stable")]
    if baseline is not None and own is not None and window.learns:
        others = ~own.regular(values, slice(len(values)))
        others[found] = False
        busiest = int(values[others].max(initial=0))
        if busiest:
            baseline.learn(busiest)
    return found


def _pair_identity(window: ClientWindow, place: int) -> tuple[int, int]:
    return window.client_key(int(window.pairs.client[place])), int(window.pairs.target[place])


def _pair_names(window: ClientWindow, place: int) -> tuple[str, str]:
    pairs = window.pairs
    return window.target_name(int(pairs.target[place])), window.client_name(int(pairs.client[place]))


def _requests(count: int, window: ClientWindow) -> str:
    return f"{count:,} requests in {format_duration(window.span_seconds)}"


def _usually(expected: float, own: float, busiest: str) -> str:
    return f"it usually makes {own:,.0f}" if own >= expected else f"{busiest} usually makes {expected:,.0f}"

"""Alerts on clients, who are whatever outsiders choose to be: a bounded number at once, and one for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import TickRule, Transition
from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, OTHER, AlertChange, IntArray, SeriesKey
from aiops_nb.features.clients.window import ClientWindow
from aiops_nb.rules.client.rules import ClientRule, Fact
from aiops_nb.rules.sentences import ended

CLIENT_RULE_DETECTOR = "client_rule"
Identity = tuple[int, int]
NOBODY = Fact(target=ALL_TARGETS, client=OTHER, value=np.nan, expected=np.nan, threshold=np.nan, summary="")


@dataclass(slots=True)
class _Seats:
    """Who holds which of the places for alerts; one more place is for the rest."""

    most: int
    taken: dict[Identity, int] = field(default_factory=dict)

    def give(self, identity: Identity) -> int | None:
        if identity in self.taken:
            return self.taken[identity]
        free = next((seat for seat in range(self.most) if seat not in self.taken.values()), None)
        if free is not None:
            self.taken[identity] = free
        return free

    def leave(self, seat: int) -> None:
        self.taken = {who: held for who, held in self.taken.items() if held != seat}


class ClientAlerts:
    """The alerts of one rule on clients."""

    def __init__(self, rule: ClientRule, accept_seconds: float) -> None:
        self._rule, self._params = rule, rule.params
        self._seats = _Seats(rule.params.max_alerts)
        self._hold = TickRule(rule.params.hold)
        self._facts: list[Fact] = [NOBODY] * (rule.params.max_alerts + 1)
        self._accept_ns = round(accept_seconds * NS_PER_SECOND)

    def tick(self, window: ClientWindow, places: IntArray) -> list[AlertChange]:
        """Move on by one window, in which these slots are anomalous, the strongest first."""
        hit, known = np.zeros(len(self._facts), np.bool_), np.full(len(self._facts), window.known)
        if window.known and len(places):
            seated = self._seat(window, places.tolist())
            for seat, place in seated.items():
                hit[seat], self._facts[seat] = True, self._rule.fact(window, place)
            if len(places) > len(seated):
                hit[-1], self._facts[-1] = True, self._rest(len(places) - len(seated))
        return self._changes(self._hold.tick(hit, known, window.end_ns))

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._hold.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing came at all for so long."""
        return self._changes(self._hold.pass_silence(elapsed_ns, end_ns))

    def close(self, end_ns: int, outcome: str) -> list[AlertChange]:
        """Changes that end all episodes."""
        return self._changes(self._hold.close(end_ns, outcome))

    def _seat(self, window: ClientWindow, places: list[int]) -> dict[int, int]:
        """Seat -> place: whoever has a seat keeps it, then the strongest."""
        found = [(self._rule.identity(window, place), place) for place in places]
        found.sort(key=lambda one: one[0] not in self._seats.taken)
        seats = ((self._seats.give(identity), place) for identity, place in found)
        return {seat: place for seat, place in seats if seat is not None}

    def _rest(self, more: int) -> Fact:
        return Fact(
            target=ALL_TARGETS,
            client=OTHER,
            value=float(more),
            expected=np.nan,
            threshold=float(self._params.max_alerts),
            summary=f"{more} more clients beyond the {self._params.max_alerts} with an alert of their own",
        )

    def _changes(self, transitions: list[Transition]) -> list[AlertChange]:
        changes = [self._change(transition) for transition in transitions]
        for transition in transitions:
            if transition.ends_at_ns is not None and transition.series < self._seats.most:
                self._seats.leave(transition.series)
        return changes

    def _change(self, transition: Transition) -> AlertChange:
        fact = self._facts[transition.series]
        key = SeriesKey(fact.target, origin="traffic", client=fact.client)
        labels = labels_of(self._params.alertname, self._params.severity, CLIENT_RULE_DETECTOR, key)
        return replace(
            bare_change(transition, labels),
            value=fact.value,
            expected=fact.expected,
            threshold=fact.threshold,
            summary=fact.summary if transition.ends_at_ns is None else self._over(fact, transition),
        )

    def _over(self, fact: Fact, transition: Transition) -> str:
        over = f"{fact.client or fact.target}: {ended(transition)}"
        since = transition.starts_at_ns
        if not transition.outcome and since is not None and transition.time_ns - since >= self._accept_ns:
            return f"{over}; baseline updated, it lasted too long to be an exception"
        return over

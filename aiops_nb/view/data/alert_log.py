"""Alert episodes as a table shows them, with the rows that prove each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from aiops_nb.core.types import AlertChange

MOST_EPISODES = 100
SEVERITY = {"info": 1.0, "warning": 2.0, "error": 3.0, "critical": 4.0}
_ORDER = {"firing": 0, "pending": 1, "inhibited": 2, "resolved": 3}
Evidence = tuple[tuple[str, ...], ...]
ShownState = Literal["firing", "pending", "inhibited", "resolved"]


def shown_state(change: AlertChange) -> ShownState:
    """The state that people see: an inhibited alert does not call for attention; nodata and error do."""
    if change.is_firing:
        return "inhibited" if change.inhibited_by else "firing"
    return "pending" if change.state == "pending" else "resolved"


def severity_of(change: AlertChange) -> float:
    """Severity of an alert as a number, 1 (info) to 4 (critical); 0 if it has none."""
    return SEVERITY.get(change.labels.get("severity", ""), 0.0)


@dataclass(frozen=True, slots=True)
class Episode:
    """The last change of an episode, and the rows before it fired."""

    change: AlertChange
    evidence: Evidence


class AlertLog:
    """Episodes by fingerprint and start; the oldest resolved ones are dropped.

    Parameters
    ----------
    prove
        Returns the rows that led to a change.
    """

    def __init__(self, prove: Callable[[AlertChange], Evidence]) -> None:
        self._prove = prove
        self._episodes: dict[tuple[str, int], Episode] = {}
        self.changes_total = 0

    def take(self, change: AlertChange) -> None:
        """Note one change; a pending alert that never fired is forgotten."""
        self.changes_total += 1
        key = (change.fingerprint, change.pending_at_ns)
        before = self._episodes.pop(key, None)
        if change.state == "inactive":
            return
        self._episodes[key] = (
            self._ended(before, change) if before and change.state == "resolved" else self._new(change, before)
        )
        self._forget()

    def _new(self, change: AlertChange, before: Episode | None) -> Episode:
        """An answer to an alert leaves the rows that prove it as they are."""
        return Episode(change, before.evidence if before and change.update else self._prove(change))

    def _ended(self, before: Episode, end: AlertChange) -> Episode:
        """The summary and the evidence of the firing alert stay readable."""
        change = replace(before.change, state=end.state, time_ns=end.time_ns, ends_at_ns=end.ends_at_ns, note=end.note)
        return Episode(replace(change, outcome=end.outcome), before.evidence)

    def _forget(self) -> None:
        over = [key for key, episode in self._episodes.items() if episode.change.state == "resolved"]
        for key in over[: max(0, len(self._episodes) - MOST_EPISODES)]:
            del self._episodes[key]

    def firing(self) -> list[AlertChange]:
        """Alerts that fire now and that no other alert inhibits."""
        return [change for change in self.active() if shown_state(change) == "firing"]

    def pending(self) -> list[AlertChange]:
        """Alerts whose condition holds, but not for long enough to fire."""
        return [change for change in self.active() if change.state == "pending"]

    def active(self) -> list[AlertChange]:
        """Alerts that are pending or fire, inhibited ones too."""
        changes = (episode.change for episode in self._episodes.values())
        return [change for change in changes if change.is_active]

    def shown(self) -> list[Episode]:
        """Firing, pending, inhibited, resolved; alerts on what is watched before those on the monitor's own machine.

        Of those that fire or are pending the worst first, then the newest.
        """
        return sorted(self._episodes.values(), key=_rank)[:MOST_EPISODES]


def _rank(episode: Episode) -> tuple[int, bool, float, int]:
    state = shown_state(episode.change)
    worst = severity_of(episode.change) if state in ("firing", "pending") else 0.0
    return _ORDER[state], "scope" in episode.change.labels, -worst, -episode.change.time_ns

"""Alert episodes as a table shows them, with the rows that prove each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aiops_nb.core.types import AlertChange

MOST_EPISODES = 100
_ORDER = {"firing": 0, "pending": 1, "explained": 2, "resolved": 3}
SEVERITY = {"info": 1.0, "warning": 2.0, "error": 3.0, "critical": 4.0}
Evidence = tuple[tuple[str, ...], ...]


def shown_state(change: AlertChange) -> str:
    """The state that people see: one that another alert explains does not call for attention."""
    return "explained" if change.inhibited_by and change.state == "firing" else change.state


@dataclass(frozen=True, slots=True)
class Episode:
    """The last change of an episode, and the rows before it fired."""

    change: AlertChange
    evidence: Evidence


class AlertLog:
    """Episodes by fingerprint and beginning; the oldest of those that are over go.

    Parameters
    ----------
    prove
        Gives the rows that led to a change.
    """

    def __init__(self, prove: Callable[[AlertChange], Evidence]) -> None:
        self._prove = prove
        self._episodes: dict[tuple[str, int], Episode] = {}
        self.changes_total = 0

    def take(self, change: AlertChange) -> None:
        """Note one change; what was pending and came to nothing is forgotten."""
        self.changes_total += 1
        key = (change.fingerprint, change.pending_at_ns)
        before = self._episodes.pop(key, None)
        if change.state == "inactive":
            return
        self._episodes[key] = (
            self._ended(before, change) if before and change.state == "resolved" else self._new(change)
        )
        self._forget()

    def _new(self, change: AlertChange) -> Episode:
        return Episode(change, self._prove(change))

    def _ended(self, before: Episode, end: AlertChange) -> Episode:
        """It is over, and what had happened stays to be read."""
        change = replace(before.change, state=end.state, time_ns=end.time_ns, ends_at_ns=end.ends_at_ns)
        return Episode(change, before.evidence)

    def _forget(self) -> None:
        over = [key for key, episode in self._episodes.items() if episode.change.state == "resolved"]
        for key in over[: max(0, len(self._episodes) - MOST_EPISODES)]:
            del self._episodes[key]

    def firing(self) -> list[AlertChange]:
        """Those that fire now and that no other explains."""
        changes = (episode.change for episode in self._episodes.values())
        return [change for change in changes if change.state == "firing" and not change.inhibited_by]

    def shown(self) -> list[Episode]:
        """Firing, then pending, then over; of those that call for attention the worst first, then the newest."""
        return sorted(self._episodes.values(), key=_place)[:MOST_EPISODES]


def _place(episode: Episode) -> tuple[int, float, int]:
    change, state = episode.change, shown_state(episode.change)
    worst = SEVERITY.get(change.labels.get("severity", ""), 0.0) if state in ("firing", "pending") else 0.0
    return _ORDER.get(state, 4), -worst, -change.time_ns

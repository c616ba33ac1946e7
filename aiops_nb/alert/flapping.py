"""Alerts that come and go: one episode, notified once, until it is calm."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.core.quantities import format_duration
from aiops_nb.core.types import NS_PER_SECOND, AlertChange

Positive = Annotated[float, Meta(gt=0)]


class FlappingParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert flaps that begins to fire so often; it then stays open until it has been calm.

    Attributes
    ----------
    min_episodes
        The alert flaps when it begins to fire for the n-th time within `within_seconds`.
    within_seconds
        Event time.
    calm_seconds
        It flaps no more when it neither began nor ended for so long; time that the monitor slept does not count.
    """

    min_episodes: Annotated[int, Meta(ge=2)] = 4
    within_seconds: Positive = 600.0
    calm_seconds: Positive = 300.0


@dataclass(slots=True)
class _History:
    """When an alert began to fire lately, and the episode that stays open while it flaps."""

    began_ns: deque[int]
    episode: AlertChange | None = None
    carried: AlertChange | None = None  # flaps no more, but has not ended since
    is_firing: bool = False
    moved_ns: int = 0


class Flapping:
    """Joins the episodes of an alert that flaps into one, which is resolved when it has been calm.

    Between its beginnings the alert is not over: its resolve is withheld, and so is every further beginning, so that
    what follows (grouping, inhibition, notification) sees one alert. It follows the changes in their order, so it does
    not depend on how the stream is cut. Memory: the alerts that fired within `within_seconds`.

    Parameters
    ----------
    params
        None: every episode stands for itself.
    """

    def __init__(self, params: FlappingParams | None) -> None:
        self._params = params
        self._histories: dict[str, _History] = {}
        self._flapping: set[str] = set()
        self._forget_ns = 0

    def apply(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """The changes in their order, without those that are withheld."""
        if self._params is None:
            return list(changes)
        return [made for change in changes if (made := self._one(change, self._params)) is not None]

    def _one(self, change: AlertChange, params: FlappingParams) -> AlertChange | None:
        history = self._histories.get(change.fingerprint)
        if history is not None and history.episode is not None:
            return self._of_flapping(history, history.episode, change)
        if history is not None and history.carried is not None:
            return self._of_carried(history, history.carried, change)
        if not change.is_firing or change.update:
            return change
        if history is None:
            history = _History(deque(maxlen=params.min_episodes))
            self._histories[change.fingerprint] = history
        history.began_ns.append(change.time_ns)
        span_ns = change.time_ns - history.began_ns[0]
        if len(history.began_ns) < params.min_episodes or span_ns > params.within_seconds * NS_PER_SECOND:
            return change
        times = f"{params.min_episodes} times in {format_duration(round(span_ns / NS_PER_SECOND))}"
        history.episode = replace(
            change, flapping=True, summary=f"{change.summary}; flapping: began {times}".removeprefix("; ")
        )
        history.is_firing = True
        history.moved_ns = change.time_ns
        self._flapping.add(change.fingerprint)
        return history.episode

    def _of_carried(self, history: _History, episode: AlertChange, change: AlertChange) -> AlertChange:
        if change.state in ("resolved", "inactive"):
            history.carried = None
        return replace(change, pending_at_ns=episode.pending_at_ns, starts_at_ns=episode.starts_at_ns)

    def _of_flapping(self, history: _History, episode: AlertChange, change: AlertChange) -> AlertChange | None:
        if change.outcome and change.state in ("resolved", "inactive"):  # not by itself: its data or the run has ended
            self._calm(history, change.fingerprint)
            return _ended(episode, change.time_ns, change.outcome)
        if change.update:
            history.episode = replace(episode, time_ns=change.time_ns, update=change.update)
            return history.episode
        if change.is_firing or change.state == "resolved":
            history.is_firing = change.is_firing
            history.moved_ns = max(history.moved_ns, change.time_ns)
        return None

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for fingerprint in self._flapping:
            self._histories[fingerprint].moved_ns += slept_ns

    def tick(self, end_ns: int) -> list[AlertChange]:
        """End of a window: alerts that have been calm for long enough."""
        if self._params is None or not self._histories:
            return []
        if end_ns >= self._forget_ns:
            self._forget(end_ns, self._params)
        if not self._flapping:
            return []
        calm_ns = round(self._params.calm_seconds * NS_PER_SECOND)
        made: list[AlertChange] = []
        for fingerprint in [one for one in self._histories if one in self._flapping]:
            history = self._histories[fingerprint]
            if history.episode is None or end_ns - history.moved_ns < calm_ns:
                continue
            episode, is_firing = history.episode, history.is_firing
            self._calm(history, fingerprint)
            if is_firing:
                history.carried = episode
                made.append(replace(episode, time_ns=end_ns, flapping=False, update="flapping"))
            else:
                made.append(_ended(episode, end_ns, ""))
        return made

    def close(self, end_ns: int, outcome: str) -> list[AlertChange]:
        """End the episodes that only wait for calm: the run is over."""
        made: list[AlertChange] = []
        for fingerprint in [one for one in self._histories if one in self._flapping]:
            history = self._histories[fingerprint]
            if history.episode is not None and not history.is_firing:
                made.append(_ended(history.episode, end_ns, outcome))
                self._calm(history, fingerprint)
        return made

    def _calm(self, history: _History, fingerprint: str) -> None:
        history.episode = None
        history.began_ns.clear()
        self._flapping.discard(fingerprint)

    def _forget(self, end_ns: int, params: FlappingParams) -> None:
        within_ns = round(params.within_seconds * NS_PER_SECOND)
        self._forget_ns = end_ns + within_ns
        self._histories = {
            fingerprint: history
            for fingerprint, history in self._histories.items()
            if history.episode is not None
            or history.carried is not None
            or (history.began_ns and end_ns - history.began_ns[-1] <= within_ns)
        }


def _ended(episode: AlertChange, end_ns: int, outcome: str) -> AlertChange:
    starts_at_ns = episode.starts_at_ns if episode.starts_at_ns is not None else episode.time_ns
    end_ns = max(end_ns, episode.time_ns)
    lasted = format_duration(round((end_ns - starts_at_ns) / NS_PER_SECOND))
    over = f"closed after {lasted}, {outcome}" if outcome else f"resolved after {lasted} of flapping"
    return replace(
        episode,
        time_ns=end_ns,
        state="resolved",
        update="",
        flapping=False,
        ends_at_ns=end_ns,
        outcome=outcome,
        summary=f"{episode.labels.get('target', '')}: {over}".removeprefix(": "),
    )

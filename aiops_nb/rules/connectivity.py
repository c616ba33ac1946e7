"""The rule on the connection of this host: offline if every reference fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.inhibition import CONNECTIVITY_ALERT
from aiops_nb.alert.lifecycle import Seconds, Transition
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, AlertState, BoolArray, IntArray, SeriesKey
from aiops_nb.features.requests.rows import RequestRows
from aiops_nb.rules.sentences import ended

if TYPE_CHECKING:
    import pandas as pd

CONNECTIVITY_DETECTOR = "connectivity"
OBSERVER = "observer"


class ConnectivityJudge:
    """Finds the rows of the references, and judges them."""

    def __init__(self, params: ConnectivityParams) -> None:
        self._params = params
        self._rule = Connectivity(params)
        self._reference: IntArray = np.zeros(0, np.int64)

    @property
    def is_used(self) -> bool:
        """Whether there are references."""
        return bool(self._params.targets)

    def rows(self, rows: RequestRows, time_ns: IntArray, keys: tuple[SeriesKey, ...]) -> list[tuple[int, AlertChange]]:
        """Changes within these rows, in their order, each with the place of its row."""
        if not self._params.targets:
            return []
        self._look_at(keys)
        moves = self._rule.rows(self._reference[rows.series], rows.failed, time_ns)
        return [(move.row, self._change(move)) for move in moves]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._rule.pass_sleep(slept_ns)

    def tick(self, end_ns: int) -> list[AlertChange]:
        """Changes at the end of a window."""
        return [self._change(transition) for transition in self._rule.tick(end_ns)]

    def close(self, end_ns: int, outcome: str) -> list[AlertChange]:
        """Changes that end the episode, if there is one."""
        return [self._change(replace(transition, outcome=outcome)) for transition in self._rule.close(end_ns)]

    def _look_at(self, keys: tuple[SeriesKey, ...]) -> None:
        fresh = [self._place(key) for key in keys[len(self._reference) :]]
        if fresh:
            self._reference = np.concatenate([self._reference, np.array(fresh, np.int64)])

    def _place(self, key: SeriesKey) -> int:
        ours = key.origin == "probe" and key.target in self._params.targets
        return self._params.targets.index(key.target) if ours else NOBODY

    def _change(self, transition: Transition) -> AlertChange:
        labels = labels_of(CONNECTIVITY_ALERT, "critical", CONNECTIVITY_DETECTOR, SeriesKey(OBSERVER))
        over = ended(transition)
        return replace(
            bare_change(transition, labels),
            threshold=float(self._params.for_rows),
            summary=f"{OBSERVER}: {self._over(transition, over) if over else self._sentence()}",
        )

    def _over(self, transition: Transition, over: str) -> str:
        return over if transition.outcome else f"connected again, {over}"

    def _sentence(self) -> str:
        return f"this host seems offline, no response from {', '.join(self._params.targets)}"


NOBODY = -1


class Connectivity:
    """Offline when the last rows of every reference failed.

    Pending as soon as each reference's last row failed, firing when the last `for_rows` of each did; stamped by the row
    that makes it so. One reference that answers ends a pending state at once, and a firing one after
    `keep_firing_for_seconds`. A reference that was never heard of is not taken as failing. Cost: O(rows) for finding
    the references' rows, and a step for each of these.
    """

    def __init__(self, params: ConnectivityParams) -> None:
        self._for_rows = params.for_rows
        self._keep_ns = round(params.keep_firing_for_seconds * NS_PER_SECOND)
        self._failures = [0] * len(params.targets)
        self._state: AlertState = "inactive"
        self._pending_at_ns = self._starts_at_ns = 0
        self._answered_ns: int | None = None

    def rows(self, reference: IntArray, failed: BoolArray, time_ns: IntArray) -> list[Transition]:
        """Take rows in stream order; `reference` is the place of each row's target among the references, else -1."""
        places = np.flatnonzero(reference != NOBODY)
        moments = zip(places.tolist(), reference[places].tolist(), failed[places].tolist(), strict=True)
        made = [self._row(row, one, bad, int(time_ns[row])) for row, one, bad in moments]
        return [transition for several in made for transition in several]

    def _row(self, row: int, reference: int, failed: bool, time_ns: int) -> list[Transition]:
        self._failures[reference] = self._failures[reference] + 1 if failed else 0
        if not failed:
            return self._answered(row, time_ns)
        made = []
        fewest = min(self._failures)
        if fewest:
            self._answered_ns = None
        if fewest and self._state in ("inactive", "resolved"):
            self._pending_at_ns = time_ns
            made.append(self._moved("pending", row, time_ns))
        if fewest >= self._for_rows and self._state == "pending":
            self._starts_at_ns = time_ns
            made.append(self._moved("firing", row, time_ns))
        return made

    def _answered(self, row: int, time_ns: int) -> list[Transition]:
        if self._answered_ns is None:
            self._answered_ns = time_ns
        return [self._moved("inactive", row, time_ns)] if self._state == "pending" else []

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        if self._answered_ns is not None:
            self._answered_ns += slept_ns

    def tick(self, end_ns: int) -> list[Transition]:
        """End of a window: connected again for long enough."""
        over = self._answered_ns is not None and end_ns - self._answered_ns >= self._keep_ns
        return [self._moved("resolved", NOBODY, end_ns)] if self._state == "firing" and over else []

    def close(self, end_ns: int) -> list[Transition]:
        """End the episode, if there is one."""
        if self._state not in ("pending", "firing"):
            return []
        return [self._moved("resolved" if self._state == "firing" else "inactive", NOBODY, end_ns)]

    def _moved(self, state: AlertState, row: int, time_ns: int) -> Transition:
        self._state = state
        fired = state in ("firing", "resolved")
        return Transition(
            0,
            state,
            time_ns,
            self._pending_at_ns,
            self._starts_at_ns if fired else None,
            time_ns if state in ("resolved", "inactive") else None,
            row,
        )


class ConnectivityParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When all references fail, it is our own network: one alert, and none for each target.

    Attributes
    ----------
    targets
        Names of probed targets outside of what is watched, such as two well-known sites; none named: no check.
    for_rows
        Consecutive failures of every reference before it fires, fewer than a target's own alert needs (3).
    keep_firing_for_seconds
        How long one of them must have answered before it is resolved.
    """

    targets: tuple[str, ...] = ()
    for_rows: Annotated[int, Meta(ge=1)] = 2
    keep_firing_for_seconds: Seconds = 10.0


class ConnectivityEvidence:
    """The probes that failed, of whichever target: all of them go through our own network."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = requests()
        return rows[(rows["origin"] == "probe") & rows["error_type"].notna()]

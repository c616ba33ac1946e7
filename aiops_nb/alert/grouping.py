"""An alert that most targets have is one alert: notified once, and resolved once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.identity import fingerprint
from aiops_nb.core.quantities import format_duration
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, AlertChange

MOST_NAMES = 5
PROBE: Origin = "probe"
Kind = tuple[str, str]


@dataclass(slots=True)
class _Many:
    """The targets that have one kind of alert now, since when each has it, and the alert of all of them."""

    pending_at_ns: dict[str, int] = field(default_factory=dict)
    alert: AlertChange | None = None
    quorum: int = 0
    had_it: dict[str, None] = field(default_factory=dict)


class Grouping:
    """Puts the alert of a group before the single one that makes the group large enough.

    Follows the changes in their order, so it does not depend on how the stream is cut. When a target's alert fires, and
    with it enough targets have the same one, pending or firing, the alert of `*` fires; it inhibits the single ones by
    `GROUPING_INHIBITS`. It is resolved when less than half of the required number have it. Memory: the alerts that are
    active.

    Parameters
    ----------
    params
        How many are enough; None: every target has its own alert.
    alertnames
        Of the rules that judge target by target.
    heard, heard_hosts
        Give the number of targets of an origin, and of hosts, which have none, that sent data lately.
    references
        Probed targets that only show whether this host is connected; they are not counted.
    """

    def __init__(
        self,
        params: GroupingParams | None,
        alertnames: Iterable[str],
        heard: Callable[[str], int],
        heard_hosts: Callable[[], int],
        references: Iterable[str] = (),
    ) -> None:
        self._params, self._heard, self._heard_hosts = params, heard, heard_hosts
        self._names, self._references = frozenset(alertnames), frozenset(references)
        self._kinds: dict[Kind, _Many] = {}

    def apply(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """The changes in their order, and among them those of the alerts of groups."""
        if self._params is None:
            return list(changes)
        return [made for change in changes for made in self._one(change, self._params)]

    def _one(self, change: AlertChange, params: GroupingParams) -> list[AlertChange]:
        labels = change.labels
        if labels["alertname"] not in self._names or self._is_of_nobody(labels):
            return [change]
        kind = labels["alertname"], labels.get("origin", "")
        many = self._kinds.setdefault(kind, _Many())
        if change.is_active:
            many.pending_at_ns.setdefault(labels["target"], change.pending_at_ns)
            many.had_it[labels["target"]] = None
            begun = self._begun(many, change, params) if change.is_firing else None
            return [change] if begun is None else [begun, change]
        return [change, *self._ended(kind, many, change)]

    def _is_of_nobody(self, labels: Mapping[str, str]) -> bool:
        return labels.get("origin") == PROBE and labels["target"] in self._references

    def _heard_of(self, origin: str) -> int:
        if not origin:
            return self._heard_hosts()
        return self._heard(origin) - (len(self._references) if origin == PROBE else 0)

    def _begun(self, many: _Many, change: AlertChange, params: GroupingParams) -> AlertChange | None:
        count = len(many.pending_at_ns)
        if many.alert is not None or count < params.min_targets:
            return None
        heard = max(self._heard_of(change.labels.get("origin", "")), count)
        quorum = max(params.min_targets, math.ceil(params.min_ratio * heard))
        if count < quorum:
            return None
        many.quorum = quorum
        many.alert = _firing(many, change, heard, quorum)
        return many.alert

    def _ended(self, kind: Kind, many: _Many, change: AlertChange) -> list[AlertChange]:
        many.pending_at_ns.pop(change.labels["target"], None)
        is_over = many.alert is not None and 2 * len(many.pending_at_ns) < many.quorum
        made = [_resolved(many, many.alert, change)] if is_over and many.alert is not None else []
        if is_over:
            many.alert = None
            many.had_it = dict.fromkeys(many.pending_at_ns)
        elif many.alert is None:
            many.had_it.pop(change.labels["target"], None)
        if not many.pending_at_ns:
            del self._kinds[kind]
        return made


def _firing(many: _Many, change: AlertChange, heard: int, quorum: int) -> AlertChange:
    labels = _labels(change.labels)
    count = len(many.pending_at_ns)
    return AlertChange(
        time_ns=change.time_ns,
        state=change.state,
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=min(many.pending_at_ns.values()),
        starts_at_ns=change.time_ns,
        value=float(count),
        threshold=float(quorum),
        summary=f"{ALL_TARGETS}: {_what(labels['alertname'])} on {count} of {heard} targets: "
        f"{names([*many.pending_at_ns])}",
        members=tuple(many.pending_at_ns),
    )


def _resolved(many: _Many, alert: AlertChange, change: AlertChange) -> AlertChange:
    """The end of a group's alert, by the change that leaves too few."""
    left = len(many.pending_at_ns)
    lasted = format_duration((change.time_ns - (alert.starts_at_ns or change.time_ns)) / NS_PER_SECOND)
    over = f"closed after {lasted}, {change.outcome}" if change.outcome else f"resolved after {lasted}"
    rest = f"{len(many.had_it)} targets had it, {left} still {'has' if left == 1 else 'have'} it"
    return AlertChange(
        time_ns=change.time_ns,
        state="resolved",
        labels=alert.labels,
        fingerprint=alert.fingerprint,
        pending_at_ns=alert.pending_at_ns,
        starts_at_ns=alert.starts_at_ns,
        ends_at_ns=change.time_ns,
        value=float(left),
        threshold=alert.threshold,
        summary=f"{ALL_TARGETS}: {over}" if change.outcome else f"{ALL_TARGETS}: {over}; {rest}",
        outcome=change.outcome,
        members=tuple(many.had_it),
    )


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    kept = {name: labels[name] for name in ("alertname", "severity", "origin") if name in labels}
    return kept | {"target": ALL_TARGETS, "detector": GROUPING_DETECTOR}


def names(targets: list[str]) -> str:
    """The first few, and how many more.

    Examples
    --------
    >>> names(["a", "b"]), names(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = len(targets) - MOST_NAMES
    return ", ".join(targets[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


GROUPING_DETECTOR = "grouping"


class GroupingParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert of the target `*` when most targets of an origin have the same one, pending or firing.

    Attributes
    ----------
    min_targets
        So many targets at least.
    min_ratio
        Share of the targets of that origin that had a request in the span.
    """

    min_targets: Annotated[int, Meta(ge=2)] = 3
    min_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5


OUTAGES = ("request_failed",)  # of several targets, this is an outage


def name_of_group(alertname: str) -> str:
    """Name of the alert of several targets, where it inhibits the single ones.

    Examples
    --------
    >>> name_of_group("http_5xx"), name_of_group("request_failed")
    ('http_5xx of several targets', 'outage of several targets')
    """
    return f"{'outage' if alertname in OUTAGES else alertname} of several targets"


def _what(alertname: str) -> str:
    return f"outage of several targets, {alertname}" if alertname in OUTAGES else alertname

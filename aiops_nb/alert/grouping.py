"""An alert that most targets have is one alert: told once, and resolved once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.identity import fingerprint
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import ALL_TARGETS, AlertChange

MOST_NAMES = 5
PROBE: Origin = "probe"
Kind = tuple[str, str]


@dataclass(slots=True)
class _Many:
    """The targets that have one kind of alert now, when it was first seen of each, and the alert of all of them."""

    pending_at_ns: dict[str, int] = field(default_factory=dict)
    told: AlertChange | None = None
    quorum: int = 0
    had_it: set[str] = field(default_factory=set)


class Grouping:
    """Puts the alert of many before the one that makes them so many.

    Follows the changes in their order, so it does not depend on how the stream is cut. When a target's alert fires, and
    with it enough targets have the same one, pending or firing, the alert of `*` fires; what inhibits the others is
    `GROUPING_INHIBITS`. It is resolved when less than half as many as it took have it. Memory: the alerts that are
    active.

    Parameters
    ----------
    params
        How many are enough; None: any number are told one by one.
    alertnames
        Of the rules that judge target by target.
    heard, heard_hosts
        Give the number of targets of an origin, and of hosts, which have none, that were heard of lately.
    references
        Probed targets that only tell whether this host is connected; they are not counted.
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
        """The changes in their order, and among them those of the alerts of many."""
        if self._params is None:
            return list(changes)
        return [made for change in changes for made in self._one(change, self._params)]

    def _one(self, change: AlertChange, params: GroupingParams) -> list[AlertChange]:
        labels = change.labels
        if labels["alertname"] not in self._names or self._is_of_nobody(labels):
            return [change]
        kind = labels["alertname"], labels.get("origin", "")
        many = self._kinds.setdefault(kind, _Many())
        if change.state in ("pending", "firing"):
            many.pending_at_ns.setdefault(labels["target"], change.pending_at_ns)
            many.had_it.add(labels["target"])
            begun = self._begun(many, change, params) if change.state == "firing" else None
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
        if many.told is not None or count < params.min_targets:
            return None
        heard = max(self._heard_of(change.labels.get("origin", "")), count)
        quorum = max(params.min_targets, math.ceil(params.min_ratio * heard))
        if count < quorum:
            return None
        many.quorum, many.told = quorum, _told(many, change, heard, quorum)
        return many.told

    def _ended(self, kind: Kind, many: _Many, change: AlertChange) -> list[AlertChange]:
        many.pending_at_ns.pop(change.labels["target"], None)
        over = many.told is not None and 2 * len(many.pending_at_ns) < many.quorum
        made = [_over(many, many.told, change.time_ns)] if over and many.told is not None else []
        if over:
            many.told, many.had_it = None, set(many.pending_at_ns)
        elif many.told is None:
            many.had_it.discard(change.labels["target"])
        if not many.pending_at_ns:
            del self._kinds[kind]
        return made


def _told(many: _Many, change: AlertChange, heard: int, quorum: int) -> AlertChange:
    labels = _labels(change.labels)
    count = len(many.pending_at_ns)
    return AlertChange(
        time_ns=change.time_ns,
        state="firing",
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=min(many.pending_at_ns.values()),
        starts_at_ns=change.time_ns,
        value=float(count),
        threshold=float(quorum),
        summary=f"{ALL_TARGETS}: {labels['alertname']} on {count} of {heard} targets: {names([*many.pending_at_ns])}",
    )


def _over(many: _Many, told: AlertChange, time_ns: int) -> AlertChange:
    name, had, left = told.labels["alertname"], len(many.had_it), len(many.pending_at_ns)
    rest = f"{had} had it, {left} still {'has' if left == 1 else 'have'}"
    return AlertChange(
        time_ns=time_ns,
        state="resolved",
        labels=told.labels,
        fingerprint=told.fingerprint,
        pending_at_ns=told.pending_at_ns,
        starts_at_ns=told.starts_at_ns,
        ends_at_ns=time_ns,
        value=float(left),
        threshold=told.threshold,
        summary=f"{ALL_TARGETS}: {name} is over on most targets: {rest}",
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
        Share of the targets of that origin that were heard of in the span.
    """

    min_targets: Annotated[int, Meta(ge=2)] = 3
    min_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5


def name_of_many(alertname: str) -> str:
    """What an alert of many targets is called where it explains the single ones.

    Examples
    --------
    >>> name_of_many("http_5xx")
    'http_5xx of many'
    """
    return f"{alertname} of many"

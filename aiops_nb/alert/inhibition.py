"""Alerts that are not notified while another one is active: Alertmanager's inhibition, in the order of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import Struct

from aiops_nb.alert.dependencies import DependsOn, ancestors
from aiops_nb.alert.grouping import GROUPING_DETECTOR, name_of_group
from aiops_nb.alert.lifecycle import Seconds
from aiops_nb.core.types import NS_PER_SECOND, AlertChange

REFERENCE = "connectivity"
DOWN = ("error", "critical")  # severities of a parent's alerts that say why its children fail
PARENT_KEEP_SECONDS = 60.0  # as for other inhibitions: sliding windows hold the failures of an outage for a while


@dataclass(slots=True)
class _Source:
    """The alerts of one rule and one set of equal labels that inhibit others, and the inhibited ones."""

    name: str
    active: set[str] = field(default_factory=set)
    until_ns: int | None = None
    waiting: dict[str, AlertChange] = field(default_factory=dict)


class Inhibitor:
    """Marks alerts that another one inhibits, and releases those that outlive it.

    An alert that fires while its source is active (pending or firing, or over for less than `keep_seconds`) has the
    source's name in `inhibited_by`, and so has its end. If the source resolves first, an alert that still fires is
    notified then: a change with state firing again and an empty `inhibited_by`. Alerts already notified are not
    withdrawn. Cost: none while nothing changes. Memory: the alerts that are active.

    Parameters
    ----------
    rules
        Which alerts inhibit which others.
    references
        Targets that are probed only to know whether this host is connected: their alerts are always inhibited.
    depends_on
        What each target depends on directly. While a target has an active alert of severity error or critical, the
        alerts of all targets that depend on it are inhibited.
    """

    def __init__(
        self,
        rules: Sequence[InhibitRuleParams],
        references: Iterable[str] = (),
        depends_on: DependsOn | None = None,
    ) -> None:
        self._rules = tuple(rules)
        self._depends_on: DependsOn = depends_on or {}
        self._parents = frozenset(parent for parents in self._depends_on.values() for parent in parents)
        self._references = frozenset(references)
        # the last one is of parents, by target
        self._sources: list[dict[tuple[str, ...], _Source]] = [{} for _ in (*self._rules, "parents")]
        self._ending: list[tuple[int, tuple[str, ...]]] = []
        self._inhibited: dict[str, str] = {}

    def apply(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """The changes in their order, each with what inhibits it."""
        return [self._one(change) for change in changes]

    def _one(self, change: AlertChange) -> AlertChange:
        self._as_source(change)
        if change.is_firing:
            return self._begin(change)
        if change.state in ("resolved", "inactive"):
            return self._end(change)
        return change

    def _begin(self, change: AlertChange) -> AlertChange:
        by = REFERENCE if change.labels.get("target") in self._references else self._source_of(change)
        if not by:
            return change
        self._inhibited[change.fingerprint] = by
        return replace(change, inhibited_by=by)

    def _end(self, change: AlertChange) -> AlertChange:
        by = self._inhibited.pop(change.fingerprint, "")
        if not by:
            return change
        for sources in self._sources:
            for source in sources.values():
                source.waiting.pop(change.fingerprint, None)
        return replace(change, inhibited_by=by)

    def _source_of(self, change: AlertChange) -> str:
        """Name of the first source that inhibits the alert; the alert waits there."""
        for rule, sources in zip(self._rules, self._sources, strict=False):
            if matches(rule.target_matchers, change) and not matches(rule.source_matchers, change):
                source = sources.get(_key(rule, change))
                if source is not None:
                    source.waiting[change.fingerprint] = change
                    return source.name
        for parent in ancestors(self._depends_on, change.labels.get("target", "")):
            source = self._sources[-1].get((parent,))
            if source is not None:
                source.waiting[change.fingerprint] = change
                return source.name
        return ""

    # -- sources

    def _as_source(self, change: AlertChange) -> None:
        for place, rule in enumerate(self._rules):
            if matches(rule.source_matchers, change):
                self._note_source(place, _key(rule, change), change, _name(change))
        target = change.labels.get("target", "")
        if target in self._parents and change.labels.get("severity") in DOWN:
            self._note_source(len(self._rules), (target,), change, f"{_name(change)} on {target}")

    def _note_source(self, place: int, key: tuple[str, ...], change: AlertChange, name: str) -> None:
        source = self._sources[place].get(key)
        if change.is_active:
            source = source or self._sources[place].setdefault(key, _Source(name))
            source.active.add(change.fingerprint)
            source.until_ns = None
        elif source is not None and change.fingerprint in source.active:
            source.active.discard(change.fingerprint)
            if not source.active:
                source.until_ns = change.time_ns + self._keep_ns(place, change)
                self._ending.append((place, key))

    def _keep_ns(self, place: int, change: AlertChange) -> int:
        """A source that never fired was not notified, so nothing may hide behind it."""
        keep_seconds = self._rules[place].keep_seconds if place < len(self._rules) else PARENT_KEEP_SECONDS
        return round(keep_seconds * NS_PER_SECOND) if change.state == "resolved" else 0

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for place, key in set(self._ending):
            source = self._sources[place].get(key)
            if source is not None and source.until_ns is not None:
                source.until_ns += slept_ns

    def tick(self, end_ns: int) -> list[AlertChange]:
        """End of a window: alerts that still fire though what inhibited them is over."""
        if not self._ending:
            return []
        released: list[AlertChange] = []
        still: list[tuple[int, tuple[str, ...]]] = []
        for place, key in self._ending:
            source = self._sources[place].get(key)
            if source is None or source.until_ns is None:
                continue
            if source.until_ns > end_ns:
                still.append((place, key))
                continue
            del self._sources[place][key]
            released += [made for waiting in source.waiting.values() if (made := self._release(waiting, end_ns))]
        self._ending = still
        return released

    def _release(self, waiting: AlertChange, end_ns: int) -> AlertChange | None:
        del self._inhibited[waiting.fingerprint]
        change = self._begin(replace(waiting, time_ns=end_ns, update="released"))
        return None if change.inhibited_by else change


def _name(change: AlertChange) -> str:
    """What inhibits: an alert, or the alert of several targets."""
    name = change.labels["alertname"]
    return name_of_group(name) if change.labels.get("detector") == GROUPING_DETECTOR else name


def _key(rule: InhibitRuleParams, change: AlertChange) -> tuple[str, ...]:
    return tuple(change.labels.get(label, "") for label in rule.equal)


def matches(matchers: Mapping[str, tuple[str, ...]], change: AlertChange) -> bool:
    """Whether each label has one of the values that are asked for.

    Examples
    --------
    >>> change = AlertChange(
    ...     time_ns=0, state="firing", labels={"alertname": "http_5xx"}, fingerprint="f", pending_at_ns=0
    ... )
    >>> matches({"alertname": ("http_5xx", "http_4xx")}, change), matches({"target": ("a",)}, change)
    (True, False)
    """
    return all(change.labels.get(label, "") in values for label, values in matchers.items())


CONNECTIVITY_ALERT = "observer_offline"


class InhibitRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """While an alert is active, others are inhibited by it and not notified.

    Attributes
    ----------
    source_matchers
        Labels of the alert that inhibits, each with the values that it may have.
    target_matchers
        Labels of the alerts that are inhibited. One that is a source of the same rule never is.
    equal
        Labels that both must share; none named: any source inhibits.
    keep_seconds
        How long a source inhibits others after its end: a sliding window holds the failures of an outage for a while.
    """

    source_matchers: dict[str, tuple[str, ...]]
    target_matchers: dict[str, tuple[str, ...]]
    equal: tuple[str, ...] = ()
    keep_seconds: Seconds = 60.0

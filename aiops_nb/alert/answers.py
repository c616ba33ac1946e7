"""What people answered to alerts: acknowledgements, comments and silences, as marks on the changes of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.lifecycle import STOPPED
from aiops_nb.alert.silences import HeldSilence, MaintenanceParams, Silences
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, AlertUpdate

LONG_AGO = -(1 << 62)
RECALLED_NS = 600 * NS_PER_SECOND  # longer than rules wait, and shorter than an unrelated new episode


class HeldAcknowledgement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An alert that was acknowledged when its run ended: who did it, and when."""

    fingerprint: Annotated[str, Meta(max_length=200)]
    at_ns: Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
    author: Annotated[str, Meta(max_length=200)] = ""
    note: Annotated[str, Meta(max_length=2_000)] = ""


@dataclass(slots=True)
class _Answer:
    """What was said about the present episode of an alert."""

    acknowledged_by: str = ""
    acknowledged_at_ns: int | None = None
    note: str = ""


@dataclass(slots=True)
class _Open:
    """An active alert: its last change, and what was answered."""

    change: AlertChange
    answer: _Answer = field(default_factory=_Answer)


class Answers:
    """Marks every change of an alert with what people said about it, and makes changes when that changes.

    It follows the changes in their order and the windows as they close, so that a replay, however its stream is cut,
    makes the same. An acknowledgement and a note belong to an episode and end with it. Cost: none while nothing is
    silenced and nothing changes. Memory: the alerts that are active, and at most `MOST_SILENCES` silences.

    Parameters
    ----------
    maintenance
        Weekly windows in which alerts notify nobody.
    silences
        Those that hold from the beginning: of the run before.
    acknowledged
        Alerts that were acknowledged when the run before ended. One that begins again within 10 min of the first change
        of this run goes on so; later it is another incident.
    """

    def __init__(
        self,
        maintenance: Sequence[MaintenanceParams] = (),
        silences: Iterable[HeldSilence] = (),
        acknowledged: Iterable[HeldAcknowledgement] = (),
    ) -> None:
        self.silences = Silences(tuple(maintenance))
        self._open: dict[str, _Open] = {}
        self._recalled = {one.fingerprint: one for one in acknowledged}
        self._recalled_until_ns: int | None = None
        self._stopped: dict[str, HeldAcknowledgement] = {}
        self._holding: tuple[str, ...] = ()
        self._ahead = False
        self._commanded_ns = LONG_AGO  # windows close later than the command came: a silence holds for them too
        for silence in silences:
            self.silences.add(silence, silence.starts_at_ns)

    def apply(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """The changes in their order, each with its marks."""
        return [self._one(change) for change in changes]

    def is_acknowledged(self, fingerprint: str) -> bool:
        """Whether somebody has acknowledged the present episode of an alert."""
        alert = self._open.get(fingerprint)
        return alert is not None and alert.answer.acknowledged_at_ns is not None

    def _one(self, change: AlertChange) -> AlertChange:
        holding = self._holding_at(change.time_ns)
        silenced_by = self.silences.of(change.labels, change.fingerprint, holding) if holding else ()
        if holding != self._holding:  # rows are ahead of the windows: what holds there is looked at again
            self._ahead = True
        before = self._open.get(change.fingerprint)
        if change.state in ("resolved", "inactive"):
            self._open.pop(change.fingerprint, None)
            if before is not None and change.outcome == STOPPED:
                self._stopped |= _held(change.fingerprint, before.answer)
            return _marked(change, silenced_by, before.answer) if before else replace(change, silenced_by=silenced_by)
        if before is None:
            before = self._open.setdefault(change.fingerprint, _Open(change, self._recall(change)))
        before.change = _marked(change, silenced_by, before.answer)
        return before.change

    def acknowledgements(self) -> tuple[HeldAcknowledgement, ...]:
        """Those of alerts that are active, or that only the end of the run ended; what is recalled too."""
        found = dict(self._recalled) | self._stopped
        for fingerprint, alert in self._open.items():
            found |= _held(fingerprint, alert.answer)
        return tuple(found[fingerprint] for fingerprint in sorted(found))

    def _recall(self, change: AlertChange) -> _Answer:
        """What the run before knew of an alert that begins."""
        if not self._recalled:
            return _Answer()
        if self._recalled_until_ns is None:
            self._recalled_until_ns = change.time_ns + RECALLED_NS
        if change.time_ns > self._recalled_until_ns:
            self._recalled.clear()
        known = self._recalled.pop(change.fingerprint, None)
        return _Answer() if known is None else _Answer(known.author, known.at_ns, known.note)

    def tick(self, end_ns: int) -> list[AlertChange]:
        """End of a window: alerts that a silence began or ceased to cover."""
        holding = self._holding_at(end_ns)
        if holding == self._holding and not self._ahead:
            return []
        self._ahead = False
        self._holding = holding
        return self._covered_again(end_ns, holding)

    def _holding_at(self, time_ns: int) -> tuple[str, ...]:
        return self.silences.holding(max(time_ns, self._commanded_ns))

    def _covered_again(self, time_ns: int, holding: tuple[str, ...]) -> list[AlertChange]:
        made: list[AlertChange] = []
        for alert in self._open.values():
            change = alert.change
            present = holding if change.time_ns <= time_ns else self._holding_at(change.time_ns)
            silenced_by = self.silences.of(change.labels, change.fingerprint, present)
            if silenced_by == change.silenced_by:
                continue
            if change.is_firing and bool(silenced_by) != bool(change.silenced_by):
                made.append(self._updated(alert, time_ns, "silenced" if silenced_by else "unsilenced", silenced_by))
            else:
                alert.change = replace(change, silenced_by=silenced_by)
        return made

    def _updated(
        self, alert: _Open, time_ns: int, update: AlertUpdate, silenced_by: tuple[str, ...] | None = None
    ) -> AlertChange:
        by = alert.change.silenced_by if silenced_by is None else silenced_by
        moved = replace(alert.change, time_ns=max(time_ns, alert.change.time_ns), update=update)
        alert.change = _marked(moved, by, alert.answer)
        return alert.change

    # -- commands; those about an alert that is not active, or a silence that is over, change nothing

    def acknowledge(self, fingerprint: str, time_ns: int, author: str, note: str) -> list[AlertChange]:
        """Somebody knows: nobody is reminded of this episode any more."""
        alert = self._open.get(fingerprint)
        if alert is None:
            return []
        alert.answer = _Answer(author, time_ns, note or alert.answer.note)
        return [self._updated(alert, time_ns, "acknowledged")]

    def unacknowledge(self, fingerprint: str, time_ns: int) -> list[AlertChange]:
        """Take an acknowledgement back."""
        alert = self._open.get(fingerprint)
        if alert is None or alert.answer.acknowledged_at_ns is None:
            return []
        alert.answer = _Answer(note=alert.answer.note)
        return [self._updated(alert, time_ns, "unacknowledged")]

    def comment(self, fingerprint: str, time_ns: int, text: str) -> list[AlertChange]:
        """Note something about the present episode."""
        alert = self._open.get(fingerprint)
        if alert is None:
            return []
        alert.answer.note = text
        return [self._updated(alert, time_ns, "comment")]

    def silence(self, silence: HeldSilence, time_ns: int) -> list[AlertChange]:
        """Take a silence."""
        self._commanded_ns = max(self._commanded_ns, time_ns)
        self.silences.add(silence, time_ns)
        return self._after_silences(time_ns)

    def end_silence(self, id_: str, time_ns: int, author: str) -> list[AlertChange]:
        """End a silence."""
        self._commanded_ns = max(self._commanded_ns, time_ns)
        self.silences.end(id_, time_ns, author)
        return self._after_silences(time_ns)

    def _after_silences(self, time_ns: int) -> list[AlertChange]:
        self._holding = self._holding_at(time_ns)
        return self._covered_again(time_ns, self._holding)


def _held(fingerprint: str, answer: _Answer) -> dict[str, HeldAcknowledgement]:
    if answer.acknowledged_at_ns is None:
        return {}
    at_ns, author, note = answer.acknowledged_at_ns, answer.acknowledged_by, answer.note
    return {fingerprint: HeldAcknowledgement(fingerprint=fingerprint, at_ns=at_ns, author=author, note=note)}


def _marked(change: AlertChange, silenced_by: tuple[str, ...], answer: _Answer) -> AlertChange:
    return replace(
        change,
        silenced_by=silenced_by,
        acknowledged_by=answer.acknowledged_by,
        acknowledged_at_ns=answer.acknowledged_at_ns,
        note=answer.note,
    )

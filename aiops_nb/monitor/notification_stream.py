"""What of a step matters to notifications, and the notices that a whole stream makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aiops_nb.core.columns import times_ns
from aiops_nb.core.schemas import CLOCK_SOURCE
from aiops_nb.core.types import AlertChange, Item, Step
from aiops_nb.notify.dispatch import Dispatcher, Notice


@dataclass(frozen=True, slots=True)
class Moment:
    """Alert changes in their order, then what the clock says, then whether the run ends."""

    changes: Sequence[AlertChange] = ()
    time_ns: int | None = None
    is_end: bool = False

    def __bool__(self) -> bool:
        return bool(self.changes) or self.time_ns is not None or self.is_end


def moment_of(step: Step) -> Moment:
    """What a step says; only recorded items and what the pipeline makes of them, so a replay says the same.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> moment_of(Step(Item(0, "control", CLOCK_SOURCE, control_batch(CLOCK_SOURCE, "heartbeat", 7)))).time_ns
    7
    """
    item = step.item
    if item.table != "control":
        return Moment(step.changes)
    if item.source == CLOCK_SOURCE:
        return Moment(step.changes, max(times_ns(item.batch.column("time")).tolist(), default=None))
    return Moment(step.changes, is_end=_stops(item))


def _stops(item: Item) -> bool:
    columns = (item.batch.column("kind").to_pylist(), item.batch.column("body").to_pylist())
    bodies = [body for kind, body in zip(*columns, strict=True) if kind == "command"]
    return any(msgspec.json.decode(body or "{}").get("type") == "stop" for body in bodies)


def notices_of(dispatcher: Dispatcher, moment: Moment) -> list[Notice]:
    """The notices that are due by then."""
    notices = [notice for change in moment.changes for notice in dispatcher.take(change)]
    if moment.time_ns is not None:
        notices += dispatcher.advance(moment.time_ns)
    if moment.is_end:
        notices += dispatcher.finish()
    return notices

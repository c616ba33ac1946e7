"""What of a step matters to notifications, and the notices that a whole stream makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.core.columns import times_ns
from aiops_nb.core.schemas import CLOCK_SOURCE
from aiops_nb.core.types import AlertChange, Item, Step
from aiops_nb.notify.delivery import takes
from aiops_nb.notify.dispatch import Dispatcher, Notice
from aiops_nb.notify.log import COLUMNS, message_row
from aiops_nb.notify.params import NotifyParams

if TYPE_CHECKING:
    import pandas as pd

PLANNED_COLUMNS = tuple(
    name for name in COLUMNS if name not in ("state", "attempts", "queued_at", "sent_at", "problem")
)


@dataclass(frozen=True, slots=True)
class Events:
    """Alert changes in their order, then what the clock says, then whether the run ends."""

    changes: Sequence[AlertChange] = ()
    time_ns: int | None = None
    is_end: bool = False

    def __bool__(self) -> bool:
        return bool(self.changes) or self.time_ns is not None or self.is_end


def events_of(step: Step) -> Events:
    """What a step says; only recorded items and what the pipeline makes of them, so a replay says the same.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> events_of(Step(Item(0, "control", CLOCK_SOURCE, control_batch(CLOCK_SOURCE, "heartbeat", 7)))).time_ns
    7
    """
    item = step.item
    if item.table != "control":
        return Events(step.changes)
    if item.source == CLOCK_SOURCE:
        return Events(step.changes, max(times_ns(item.batch.column("time")).tolist(), default=None))
    return Events(step.changes, is_end=_stops(item))


def _stops(item: Item) -> bool:
    columns = (item.batch.column("kind").to_pylist(), item.batch.column("body").to_pylist())
    bodies = [body for kind, body in zip(*columns, strict=True) if kind == "command"]
    return any(msgspec.json.decode(body or "{}").get("type") == "stop" for body in bodies)


def notices_of(dispatcher: Dispatcher, events: Events) -> list[Notice]:
    """The notices that are due by then."""
    notices = [notice for change in events.changes for notice in dispatcher.take(change)]
    if events.time_ns is not None:
        notices += dispatcher.advance(events.time_ns)
    if events.is_end:
        notices += dispatcher.finish()
    return notices


def planned_rows(notices: Iterable[Notice], params: NotifyParams) -> list[dict[str, object]]:
    """What the channels of a configuration would be sent, a mapping for each channel and message."""
    channels = {channel.name: channel for channel in params.channels}
    return [
        {"channel": name, **message_row(message)}
        for notice in notices
        for name in notice.channels
        if name in channels
        for message in notice.messages
        if takes(channels[name], message)
    ]


def planned_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """One row for each channel and message: channel, kind, alertname, target, severity, summary, times in UTC."""
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(PLANNED_COLUMNS))
    for name in ("episode_at", "due_at"):
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")
    return frame

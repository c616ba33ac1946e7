"""How noisy alerting is: notifications a day by rule, target and channel, flaps, and what `for` has kept quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiops_nb.core.quantities import format_count, format_duration
from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.frames.html import noise_html
from aiops_nb.view.charts.palette import series_colour

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.frames.plot import Picture

FLAP_NS = 600 * NS_PER_SECOND
MOST_BARS, MOST_NAMES = 31, 7
BY_DAY = ("day", "channel", "alertname", "target", "notifications")
BY_ALERT = (
    "alertname",
    "target",
    "notifications",
    "fired",
    "flaps",
    "longest_seconds",
    "firing_seconds",
    "acknowledged",
    "silenced",
    "inhibited",
    "never_fired",
)


@dataclass(frozen=True, slots=True)
class Noise:
    """How often people were notified, and of what.

    Attributes
    ----------
    by_day
        Notifications by UTC day, channel, alertname and target.
    by_alert
        A row for each alertname and target, the noisiest first: `notifications`; episodes that `fired`; `flaps`, which
        fired again within 10 min of their end or were found flapping; the `longest` and all time firing in seconds;
        episodes that were `acknowledged`, `silenced` or `inhibited`; and those that were pending and `never_fired`.
    without_for
        Episodes that would have notified if alerts fired at the first sign: without `for` and without consecutive
        failures. Inhibited ones are not counted.
    """

    by_day: pd.DataFrame
    by_alert: pd.DataFrame
    without_for: int

    @property
    def notified_total(self) -> int:
        """Notifications in all channels."""
        return int(self.by_day["notifications"].sum())

    def __repr__(self) -> str:
        return f"<Noise: {self.summary()}>"

    def summary(self) -> str:
        """In one sentence."""
        fired = int(self.by_alert["fired"].sum())
        return (
            f"{format_count(self.notified_total, 'notification')} of {format_count(fired, 'alert')}; "
            f"{format_count(self.without_for, 'alert')} without `for`"
        )

    def plot(self) -> Picture:
        """A bar for each day, by rule."""
        from aiops_nb.frames.plot import Picture

        return Picture(noise_html(self.summary(), _bars(self.by_day), self._talkers()))

    def _repr_html_(self) -> str:
        return self.plot().html

    def _talkers(self) -> list[dict[str, str]]:
        rows = self.by_alert.head(10).to_dict("records")
        return [
            {str(name): str(row[name]) for name in ("alertname", "target", "notifications", "fired", "flaps")}
            | {"longest": format_duration(row["longest_seconds"]) if row["longest_seconds"] else "-"}
            for row in rows
        ]


@dataclass(slots=True)
class _Tally:
    """What is counted of one alertname and target."""

    episodes: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    flaps: int = 0
    longest_ns: int = 0
    firing_ns: int = 0
    ended_ns: dict[str, int] = field(default_factory=dict)

    def add(self, change: AlertChange) -> None:
        marks = self.episodes.setdefault((change.fingerprint, change.pending_at_ns), set())
        if change.is_firing:
            if "fired" not in marks and self._is_flap(change):
                self.flaps += 1
            marks.add("fired")
            self.flaps += change.update == "flapping"
        if change.state == "resolved" and change.starts_at_ns is not None:
            ended_ns = change.ends_at_ns if change.ends_at_ns is not None else change.time_ns
            self.ended_ns[change.fingerprint] = ended_ns
            self.firing_ns += ended_ns - change.starts_at_ns
            self.longest_ns = max(self.longest_ns, ended_ns - change.starts_at_ns)
        marks |= {name for name, given in _marks(change).items() if given}

    def _is_flap(self, change: AlertChange) -> bool:
        ended_ns = self.ended_ns.get(change.fingerprint)
        return ended_ns is not None and change.time_ns - ended_ns <= FLAP_NS

    def row(self) -> dict[str, object]:
        marks = Counter(mark for one in self.episodes.values() for mark in one)
        return {
            "fired": marks["fired"],
            "flaps": self.flaps,
            "longest_seconds": self.longest_ns / NS_PER_SECOND,
            "firing_seconds": self.firing_ns / NS_PER_SECOND,
            "acknowledged": marks["acknowledged"],
            "silenced": marks["silenced"],
            "inhibited": marks["inhibited"],
            "never_fired": len(self.episodes) - marks["fired"],
        }


def _marks(change: AlertChange) -> dict[str, bool]:
    return {
        "acknowledged": change.acknowledged,
        "silenced": bool(change.silenced_by),
        "inhibited": bool(change.inhibited_by),
    }


def noise_of(changes: Iterable[AlertChange], notifications: Sequence[Mapping[str, Any]]) -> Noise:
    """The report, of alert changes and of the notifications that were made of them.

    Parameters
    ----------
    changes
        In their order.
    notifications
        Rows with channel, alertname, target and due_at (UTC ns).

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "severity": "error", "target": "shop"}
    >>> def change(state, second, **fields):
    ...     times = {"time_ns": second * 10**9, "pending_at_ns": 0, "starts_at_ns": 10**9}
    ...     return AlertChange(state=state, labels=labels, fingerprint="f", **{**times, **fields})
    >>> sent = {"channel": "chat", "alertname": "http_5xx", "target": "shop", "due_at": 10**9}
    >>> noise_of([change("firing", 1), change("resolved", 91, ends_at_ns=91 * 10**9)], [sent, sent])
    <Noise: 2 notifications of 1 alert; 1 alert without `for`>
    """
    import pandas as pd

    tallies: dict[tuple[str, str], _Tally] = {}
    for change in changes:
        key = change.labels.get("alertname", ""), change.labels.get("target", "")
        tallies.setdefault(key, _Tally()).add(change)
    days = Counter(
        (_day(row["due_at"]), str(row["channel"]), str(row["alertname"]), str(row["target"])) for row in notifications
    )
    sent = Counter((str(row["alertname"]), str(row["target"])) for row in notifications)
    names = dict.fromkeys([*sent, *tallies])
    rows = [
        {"alertname": name, "target": target, "notifications": sent[name, target]}
        | tallies.get((name, target), _Tally()).row()
        for name, target in names
    ]
    by_alert = pd.DataFrame(rows, columns=list(BY_ALERT))
    by_alert = by_alert.sort_values(["notifications", "fired"], ascending=False, kind="stable", ignore_index=True)
    by_day = pd.DataFrame([(*key, count) for key, count in sorted(days.items())], columns=list(BY_DAY))
    by_day["day"] = pd.to_datetime(by_day["day"], utc=True)
    without = sum("inhibited" not in marks for tally in tallies.values() for marks in tally.episodes.values())
    return Noise(by_day, by_alert, without)


def _day(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns / NS_PER_SECOND, UTC):%Y-%m-%d}"


def _bars(by_day: pd.DataFrame) -> dict[str, Any]:
    """Bars of the last days, stacked by the rules that notify most; heights from 0 to 1."""
    import pandas as pd

    if by_day.empty:
        return {"days": [], "names": [], "most": 0}
    totals = by_day.groupby("alertname")["notifications"].sum().sort_values(ascending=False, kind="stable")
    names = list(totals.index[:MOST_NAMES])
    others = "other rules" if len(totals) > len(names) else ""
    named = by_day["alertname"].where(by_day["alertname"].isin(names), others)
    stacked = by_day.assign(alertname=named).pivot_table(
        index="day", columns="alertname", values="notifications", aggfunc="sum", fill_value=0
    )
    columns = [*names, *([others] if others else [])]
    last = stacked.index.max()
    shown = pd.date_range(max(stacked.index.min(), last - pd.Timedelta(days=MOST_BARS - 1)), last, freq="D")
    stacked = stacked.reindex(index=shown, columns=columns, fill_value=0)
    most = max(int(stacked.sum(axis=1).max()), 1)
    days = []
    for day, counts in stacked.iterrows():
        below, parts = 0, []
        for place, (name, count) in enumerate(counts.items()):
            below += int(count)
            part = {"top": 1 - below / most, "height": int(count) / most, "colour": series_colour(place)}
            parts.append(part | {"title": f"{name}: {int(count)}"})
        days.append({"label": f"{day:%d %b}", "total": below, "parts": parts})
    keys = [{"name": name, "colour": series_colour(place)} for place, name in enumerate(columns)]
    return {"days": days, "names": keys, "most": most}

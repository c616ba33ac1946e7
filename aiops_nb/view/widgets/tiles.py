"""The text of the tiles."""

from __future__ import annotations

import math
from typing import Literal, TypedDict

import numpy as np

from aiops_nb.core.quantities import format_count, format_duration, format_number
from aiops_nb.core.types import AlertChange, BoolArray
from aiops_nb.view.charts.selection import ERROR, trouble_of
from aiops_nb.view.data.alert_log import severity_of
from aiops_nb.view.data.series_data import RATE_WINDOWS
from aiops_nb.view.data.store import LATENCY_ALERT, ViewStore

NOT_KNOWN = "\N{EN DASH}"
MOST_NAMED = 3
MANY_ERRORS = 0.05
LEARNING_WINDOWS = 45  # of the latency rule by default; with a longer warm-up the tile gives no time in the end
Tone = Literal["ok", "warn", "bad", "plain"]


class Tile(TypedDict):
    """One figure with its unit, a note below it, its tone, and its last two minutes.

    `bad` (an error or worse fires) and `warn` are shown as words too, never by the colour alone.
    """

    label: str
    value: str
    unit: str
    note: str
    tone: Tone
    trend: list[float | None]


def tiles_of(store: ViewStore) -> list[Tile]:
    """The figures that say at a glance how things are; none of them is red unless an alert fires."""
    firing = store.alerts.firing()
    figures = [_targets(store, firing), _rate(store), _errors(store, firing), _slowest(store)]
    return [*figures, _alerts(store, firing, calm=all(tile["tone"] in ("ok", "plain") for tile in figures))]


def _tile(
    label: str,
    value: str,
    unit: str = "",
    note: str = "",
    tone: Tone = "plain",
    trend: list[float | None] | None = None,
) -> Tile:
    return Tile(label=label, value=value, unit=unit, note=note, tone=tone, trend=trend or [])


def _tone_of(firing: list[AlertChange]) -> Tone:
    return "bad" if any(severity_of(change) >= ERROR for change in firing) else "warn"


def _targets(store: ViewStore, firing: list[AlertChange]) -> Tile:
    count, down = len(store.down), int(store.down.sum())
    if not count:
        return _tile("targets", NOT_KNOWN, note="none seen yet")
    value = f"{count - down:,} of {count:,} up"
    if down:
        return _tile("targets", value, note=f"failing: {_named(store, store.down)}", tone=_tone_of(firing))
    trouble = trouble_of(store)
    alerted = trouble > 0  # a target may answer now, and still have an alert
    if alerted.any():
        tone: Tone = "bad" if trouble.max() >= ERROR else "warn"
        return _tile("targets", value, note=f"alerts on: {_named(store, alerted)}", tone=tone)
    return _tile("targets", value, note="all responding", tone="ok")


def _rate(store: ViewStore) -> Tile:
    rate = store.requests.recent_mean("rate", RATE_WINDOWS)
    known = bool(np.isfinite(rate).any())
    value = number(float(np.nansum(rate))) if known else NOT_KNOWN
    return _tile("requests", value, "/s", "mean of 10 s", trend=store.trends.of("rate"))


def _errors(store: ViewStore, firing: list[AlertChange]) -> Tile:
    error, rate = store.requests.latest("error"), store.requests.recent_mean("rate", 30)
    known = np.isfinite(error)
    if not known.any():
        return _tile("errors", NOT_KNOWN, "%")
    trend = store.trends.of("error")
    weights = np.nan_to_num(rate[known])
    ratio = float(np.average(error[known], weights=weights if weights.sum() else None))
    if ratio == 0:
        return _tile("errors", "0", "%", "none in the last minute", "ok", trend)
    tone = _tone_of(firing) if ratio >= MANY_ERRORS else "warn"
    return _tile("errors", number(100 * ratio), "%", "in the last minute", tone, trend)


def _slowest(store: ViewStore) -> Tile:
    p95 = store.requests.latest("p95")
    if not np.isfinite(p95).any():
        return _tile("slowest p95", NOT_KNOWN, "ms")
    place = int(np.nanargmax(p95))
    value, _, unit = format_duration(float(p95[place])).partition(" ")
    return _tile("slowest p95", value, unit, store.names.of(place), trend=store.trends.of("p95"))


def _alerts(store: ViewStore, firing: list[AlertChange], *, calm: bool) -> Tile:
    if firing:
        worst = max(firing, key=lambda change: (severity_of(change), change.time_ns))
        name = f"{worst.labels.get('severity', '')}: {worst.labels.get('alertname', '')}"
        return _tile("alerts", f"{len(firing)} firing", note=name, tone=_tone_of(firing))
    pending = len(store.alerts.pending())
    if pending:
        return _tile("alerts", "0 firing", note=f"{pending} pending", tone="warn")
    inhibited = len(store.alerts.active())
    if inhibited:
        return _tile("alerts", "0 firing", note=f"{inhibited} part of another alert", tone="warn")
    learning = _learning(store)
    if learning:
        return _tile("alerts", "0 firing", note=learning)
    if calm:
        return _tile("alerts", "0 firing", note="no active alerts", tone="ok")
    return _tile("alerts", "0 firing", note="failures so far below every alert threshold")


def _learning(store: ViewStore) -> str:
    """For how many targets the latency is known, but not yet its baseline; empty for none."""
    if LATENCY_ALERT not in store.thresholds:
        return ""
    seen = store.requests.run_lengths("p95", "expected", LEARNING_WINDOWS)
    count = int((seen > 0).sum())
    if not count:
        return ""
    left = (LEARNING_WINDOWS - int(seen[seen > 0].min())) * store.window_seconds
    about = f", about {max(10, round(left, -1)):.0f} s left" if left > 0 else ""
    return f"Learning: {format_count(count, 'target')}{about}"


def _named(store: ViewStore, chosen: BoolArray) -> str:
    """Names of the first of the chosen targets, and how many more there are."""
    numbers = np.flatnonzero(chosen)
    names = ", ".join(store.names.of(number) for number in numbers[:MOST_NAMED])
    return names if len(numbers) <= MOST_NAMED else f"{names} and {len(numbers) - MOST_NAMED:,} more"


def number(value: float) -> str:
    """A number with about three figures; a dash for one that is not known.

    Examples
    --------
    >>> number(0.1234), number(12.34), number(1234.5), number(0.0)
    ('0.123', '12.3', '1,234', '0')
    """
    return format_number(value, digits=3) if math.isfinite(value) else NOT_KNOWN

"""What tiles and the alert table say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypedDict

import numpy as np

from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, AlertChange, SeriesKey
from aiops_nb.view.charts.names import harmless, short_names
from aiops_nb.view.charts.selection import DOWN
from aiops_nb.view.data.alert_log import SEVERITY, Episode, shown_state
from aiops_nb.view.data.series_data import RATE_WINDOWS
from aiops_nb.view.data.store import ViewStore, clock_text
from aiops_nb.view.widgets.threshold_sliders import LATENCY_ALERT

ALL_WORDS = "all targets"
NOT_KNOWN = "\N{EN DASH}"
FEW, MOST_NAMED = 50, 3
ROW_RULE = "row_rule"  # its value is a status code and its threshold a count: no two figures to hold together


class Tile(TypedDict):
    """One figure with its unit, a word below it, and its tone: ok, warn, bad or plain."""

    label: str
    value: str
    unit: str
    note: str
    tone: str


class AlertRow(TypedDict):
    """One episode as a table row; `facts` and `evidence` are shown when it is selected."""

    id: str
    state: str
    severity: str
    since: str
    target: str
    full_target: str
    name: str
    summary: str
    facts: str
    evidence: list[list[str]]


def tiles_of(store: ViewStore) -> list[Tile]:
    """The figures that say at a glance how things are."""
    return [_targets(store), _rate(store), _errors(store), _slowest(store), _firing(store)]


def _tile(label: str, value: str, unit: str = "", note: str = "", tone: str = "plain") -> Tile:
    return Tile(label=label, value=value, unit=unit, note=note, tone=tone)


def _targets(store: ViewStore) -> Tile:
    count, down = len(store.down), int(store.down.sum())
    if not count:
        return _tile("targets", NOT_KNOWN, note="none seen yet")
    note = f"down: {', '.join(_names(store, np.flatnonzero(store.down)[:MOST_NAMED]))}" if down else "all answer"
    return _tile("targets up", f"{count - down} / {count}", note=note, tone="bad" if down else "ok")


def _rate(store: ViewStore) -> Tile:
    rate = store.requests.recent_mean("rate", RATE_WINDOWS)
    known = bool(np.isfinite(rate).any())
    return _tile("requests", number(float(np.nansum(rate))) if known else NOT_KNOWN, "/s", "mean of 10 s")


def _errors(store: ViewStore) -> Tile:
    error, rate = store.requests.latest("error"), store.requests.recent_mean("rate", 30)
    known = np.isfinite(error)
    if not known.any():
        return _tile("errors", NOT_KNOWN, "%")
    weights = np.nan_to_num(rate[known])
    ratio = float(np.average(error[known], weights=weights if weights.sum() else None))
    tone = "bad" if ratio >= 0.05 else "warn" if ratio > 0 else "ok"
    return _tile("errors", number(100 * ratio), "%", "in the last minute", tone)


def _slowest(store: ViewStore) -> Tile:
    p95 = store.requests.latest("p95")
    if not np.isfinite(p95).any():
        return _tile("slowest p95", NOT_KNOWN, "ms")
    place = int(np.nanargmax(p95))
    (name,) = _names(store, [place])
    return _tile("slowest p95", number(1000 * float(p95[place])), "ms", name)


def _firing(store: ViewStore) -> Tile:
    firing = store.alerts.firing()
    if not firing:
        return _none_firing(_not_judged_yet(store))
    worst = max(firing, key=lambda change: (SEVERITY.get(change.labels.get("severity", ""), 0.0), change.time_ns))
    severity, name = worst.labels.get("severity", ""), worst.labels.get("alertname", "")
    tone = "bad" if SEVERITY.get(severity, 0.0) >= DOWN else "warn"
    return _tile("alerts firing", str(len(firing)), note=f"{severity}: {name}", tone=tone)


def _none_firing(not_judged: int) -> Tile:
    if not not_judged:
        return _tile("alerts firing", "0", note="quiet", tone="ok")
    targets = "1 target" if not_judged == 1 else f"{not_judged} targets"
    return _tile("alerts firing", "0", note=f"{targets} not judged yet")


def _not_judged_yet(store: ViewStore) -> int:
    """Targets whose latency is known, but not yet what is usual of it."""
    if LATENCY_ALERT not in store.thresholds:
        return 0
    p95, expected = store.requests.latest("p95"), store.requests.latest("expected")
    return int((np.isfinite(p95) & ~np.isfinite(expected)).sum())


def _names(store: ViewStore, places: Iterable[int]) -> list[str]:
    """Short names of some of the targets; of very many it would take long to find what they have in common."""
    keys = store.series.keys
    if len(keys) > FEW:
        return [harmless(keys[place].target) for place in places]
    names = short_names(keys)
    return [names[place] for place in places]


def number(value: float) -> str:
    """A number with about three figures.

    Examples
    --------
    >>> number(0.1234), number(12.34), number(1234.5), number(0.0)
    ('0.12', '12.3', '1,234', '0')
    """
    if not math.isfinite(value):
        return NOT_KNOWN
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def alert_rows(store: ViewStore) -> list[AlertRow]:
    """The alert table: what fires first, the worst first, then the newest."""
    shown = store.alerts.shown()
    whom = [_whom(episode.change) for episode in shown]
    keys = [SeriesKey(name) for name in dict.fromkeys(whom) if "://" in name]
    short = {key.target: name for key, name in zip(keys, short_names(keys), strict=True)}
    return [_alert_row(one, name, short) for one, name in zip(shown, whom, strict=True)]


def _whom(change: AlertChange) -> str:
    """Whom an alert is about: a client of its, a target, or all targets."""
    target = change.labels.get("target", "")
    return change.labels.get("client") or (ALL_WORDS if target == ALL_TARGETS else target)


def _alert_row(episode: Episode, whom: str, short: Mapping[str, str]) -> AlertRow:
    change = episode.change
    return AlertRow(
        id=f"{change.fingerprint}-{change.pending_at_ns}",
        state=shown_state(change),
        severity=change.labels.get("severity", ""),
        since=_since(change),
        target=short.get(whom) or harmless(whom),
        full_target=whom,
        name=change.labels.get("alertname", ""),
        summary=_with_short(_said(change, whom), short) if whom == ALL_WORDS else _said(change, whom),
        facts=_facts(change),
        evidence=[list(row) for row in episode.evidence],
    )


def _said(change: AlertChange, whom: str) -> str:
    """The summary without whom it is about, which stands beside it."""
    # the target that a client attacks stands nowhere else, and stays
    return change.summary.removeprefix(f"{ALL_TARGETS}: ").removeprefix(f"{whom}: ")


def _with_short(text: str, short: Mapping[str, str]) -> str:
    """A list of targets as they are called beside it; the longest first, as one may begin with another."""
    for name in sorted(short, key=len, reverse=True):
        text = text.replace(name, short[name])
    return text


def _since(change: AlertChange) -> str:
    began = change.starts_at_ns if change.starts_at_ns is not None else change.pending_at_ns
    if change.state != "resolved" or change.ends_at_ns is None:
        return clock_text(began)[:8]
    return f"{clock_text(began)[:8]}, for {round((change.ends_at_ns - began) / NS_PER_SECOND)} s"


def _facts(change: AlertChange) -> str:
    names = ("value", "expected", "lower", "upper", "score", "threshold")
    known = [(name, getattr(change, name)) for name in names]
    detector = change.labels.get("detector", "")
    facts = [f"{name} {value:.4g}" for name, value in known if math.isfinite(value) and detector != ROW_RULE]
    told = [f"explained by {change.inhibited_by}"] if change.inhibited_by else []
    return ", ".join([*told, *([f"found by {detector}"] if detector else []), *facts])

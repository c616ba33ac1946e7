"""The tables of the monitoring report, computed from rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.quantities import format_count, format_duration, format_ratio
from aiops_nb.core.types import FIRING_STATES
from aiops_nb.frames.noise import Noise
from aiops_nb.frames.summary import LONGEST_PAUSE_SECONDS
from aiops_nb.report.html import Html, details_html, paragraph_html, table_html

MAX_KINDS = 6  # alert names in the headline
MAX_ALERTS = 12  # rows before the charts; the others are folded
ALERT_COLUMNS = ["starts_at", "lasted_seconds", "alertname", "severity", "target", "state", "inhibited_by", "summary"]


def alert_table(alerts: pd.DataFrame) -> pd.DataFrame:
    """The alerts that fired, in order of time; `lasted_seconds` is NaN for those that still fire.

    The summary is without the target, which has a column.
    """
    fired = _fired(alerts).sort_values("starts_at", kind="stable")
    lasted = (fired["ends_at"] - fired["starts_at"]).dt.total_seconds()
    summaries = [
        text.removeprefix(f"{target}: ") for text, target in zip(fired["summary"], fired["target"], strict=True)
    ]
    table = fired.assign(lasted_seconds=lasted, summary=pd.Series(summaries, index=fired.index, dtype=object))
    return table.loc[:, ALERT_COLUMNS].reset_index(drop=True)


def alerts_html(alerts: pd.DataFrame) -> Html:
    """The alerts of a report: first those that were notified, then the inhibited ones, folded.

    Parameters
    ----------
    alerts
        As `Recording.alerts()` gives them.
    """
    table = alert_table(alerts)
    notified = table[table["inhibited_by"] == ""].drop(columns="inhibited_by")
    inhibited = table[table["inhibited_by"] != ""]
    folded = [
        (f"{len(part):,} {title}", table_html(part))
        for title, part in (("more alerts", notified.iloc[MAX_ALERTS:]), ("inhibited alerts", inhibited))
        if len(part)
    ]
    shown = table_html(notified.head(MAX_ALERTS), nothing="No alerts.")
    return Html(shown.text + details_html(folded).text) if folded else shown


def noise_html(noise: Noise, targets: Iterable[str] = ()) -> Html:
    """How noisy alerting was: one sentence, and the ten noisiest rules and targets.

    Parameters
    ----------
    noise
        As `Recording.noise()` gives it.
    targets
        Only these; all if none are given.
    """
    columns = ["alertname", "target", "notifications", "fired", "flaps", "longest_seconds", "silenced", "inhibited"]
    table = only_targets(noise.by_alert, targets).reindex(columns=[*columns, "never_fired"])
    notified, fired = int(table["notifications"].sum()), int(table["fired"].sum())
    sentence = paragraph_html(f"{format_count(notified, 'notification')} of {format_count(fired, 'alert')}.", css="")
    return Html(sentence.text + table_html(table.head(MAX_ALERTS), nothing="No alerts.").text)


def _fired(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts[alerts["starts_at"].notna()]


def only_targets(rows: pd.DataFrame, targets: Iterable[str]) -> pd.DataFrame:
    """The rows of some targets; of all if none are given."""
    names = list(targets)
    return rows.loc[rows["target"].isin(names)] if names else rows


def alerts_of(alerts: pd.DataFrame, targets: Iterable[str]) -> pd.DataFrame:
    """The alerts of some targets and those of the groups that they belong to; all if no target is given.

    Parameters
    ----------
    alerts
        As `Recording.alerts()` gives them; `members` holds the targets of a group.
    targets
        Names.
    """
    names = set(targets)
    if not names:
        return alerts
    in_group = [isinstance(members, tuple) and not names.isdisjoint(members) for members in alerts["members"]]
    return alerts.loc[alerts["target"].isin(names) | pd.Series(in_group, index=alerts.index, dtype=bool)]


def headline(summary: pd.DataFrame, alerts: pd.DataFrame, *rows: pd.DataFrame) -> str:
    """The most important figures in one line.

    Parameters
    ----------
    summary
        As `summarise` makes it.
    alerts
        As `Recording.alerts()` gives them.
    *rows
        What was observed: requests and samples.
    """
    first, last = observed_range(pd.concat([part["time"] for part in rows]))
    end = f"{last:%H:%M:%S}" if last.date() == first.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    when = f"{first:%Y-%m-%d %H:%M:%S} to {end} {first.tz} ({format_duration((last - first).total_seconds())})"
    return f"{_requests_text(summary)}, {when}. {_alerts_text(_fired(alerts))}."


def _requests_text(summary: pd.DataFrame) -> str:
    requests = int(summary["requests"].sum())
    if not requests:
        return "No requests"
    errors = float((summary["error_ratio"] * summary["requests"]).sum()) / requests
    targets = summary["target"].nunique()
    return f"{format_count(requests, 'request')} to {format_count(targets, 'target')}, {format_ratio(errors)} errors"


def _alerts_text(fired: pd.DataFrame) -> str:
    notified = fired[fired["inhibited_by"] == ""]
    counts = notified["alertname"].value_counts()
    kinds = [f"{count} {name}" for name, count in counts.head(MAX_KINDS).items()]
    if len(counts) > MAX_KINDS:
        kinds.append(f"{len(counts) - MAX_KINDS} other rules")
    text = format_count(len(notified), "alert") + (f" ({', '.join(kinds)})" if kinds else "")
    inhibited = len(fired) - len(notified)
    firing = int(fired["state"].isin(FIRING_STATES).sum())
    return f"{text}{f', {inhibited:,} inhibited' if inhibited else ''}{f'; {firing:,} still firing' if firing else ''}"


def gap_ratio(times: pd.Series, longest_pause_seconds: float = LONGEST_PAUSE_SECONDS) -> float:
    """Share of the time between the first and the last row that lies in pauses longer than allowed.

    Examples
    --------
    >>> gap_ratio(pd.to_datetime(pd.Series([0, 10, 20, 100]), unit="s", utc=True))
    0.8
    """
    if len(times) < 2:
        return float("nan")
    pauses = np.diff(np.sort(times.to_numpy("datetime64[ns]"))) / np.timedelta64(1, "s")
    return float(pauses[pauses > longest_pause_seconds].sum() / pauses.sum()) if pauses.sum() else 0.0


def observed_range(times: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last time.

    Raises
    ------
    RecordingError
        If there are no rows.
    """
    if times.empty:
        raise RecordingError("report: no requests and no samples in this range")
    return times.min(), times.max()

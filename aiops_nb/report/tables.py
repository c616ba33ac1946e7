"""The tables of the monitoring report, computed from rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aiops_nb.core.errors import RecordingError
from aiops_nb.report.formatting import ratio_in_words, seconds_in_words

LONGEST_PAUSE_SECONDS = 30.0
EVIDENCE_BEFORE = pd.Timedelta(seconds=5)
EVIDENCE_COLUMNS = [
    "time",
    "method",
    "status_code",
    "error_type",
    "duration_seconds",
    "connect_seconds",
    "wait_seconds",
]
ALERT_COLUMNS = ["starts_at", "lasted_seconds", "alertname", "severity", "target", "state", "inhibited_by", "summary"]


def summarise(requests: pd.DataFrame) -> pd.DataFrame:
    """One row for each target (and origin).

    Parameters
    ----------
    requests
        Rows as `Recording.requests()` gives them.

    Returns
    -------
    pandas.DataFrame
        `availability_ratio`: share of the observed time in which the latest outcome was good; an outcome speaks for the
        time since the one before it, at most 30 s. `error_ratio`: share of requests that failed or were answered by a
        5xx. `p50_seconds` to `p99_seconds`: of the requests that were answered. `worst_minute`: the UTC minute with the
        highest error ratio, among equals the one with the highest p95.
    """
    rows = [
        {"target": target, "origin": origin} | _summary(part)
        for (target, origin), part in requests.groupby(["target", "origin"], observed=True)
    ]
    return pd.DataFrame(rows, columns=None if rows else ["target", "origin", "requests"])


def _summary(part: pd.DataFrame) -> dict[str, Any]:
    bad, answered = is_error(part), part["error_type"].isna()
    p50, p95, p99 = quantiles(part.loc[answered, "duration_seconds"])
    return {
        "requests": len(part),
        "availability_ratio": availability_ratio(part["time"], bad),
        "error_ratio": float(bad.mean()),
        "status_4xx_ratio": float(part["status_code"].between(400, 499).fillna(False).mean()),
        "p50_seconds": p50,
        "p95_seconds": p95,
        "p99_seconds": p99,
    } | _worst_minute(part.assign(bad=bad, answer_seconds=part["duration_seconds"].where(answered)))


def is_error(requests: pd.DataFrame) -> pd.Series:
    """Whether each request failed or was answered by a 5xx."""
    return requests["error_type"].notna() | (requests["status_code"].fillna(0) >= 500)


def quantiles(seconds: pd.Series) -> tuple[float, float, float]:
    """Median, p95 and p99; NaN if nothing was answered."""
    p50, p95, p99 = (float(seconds.quantile(q)) for q in (0.5, 0.95, 0.99))
    return p50, p95, p99


def availability_ratio(times: pd.Series, bad: pd.Series) -> float:
    """Share of the observed time that was good; NaN for fewer than two outcomes.

    Examples
    --------
    >>> times = pd.to_datetime(pd.Series([0, 1, 11, 12]), unit="s", utc=True)
    >>> round(availability_ratio(times, pd.Series([False, False, True, False])), 3)
    0.167
    """
    ordered = pd.DataFrame({"time": times.to_numpy(), "bad": bad.to_numpy()}).sort_values("time", kind="stable")
    speaks_seconds = ordered["time"].diff().dt.total_seconds().clip(upper=LONGEST_PAUSE_SECONDS)
    observed_seconds = float(speaks_seconds.sum())
    good_seconds = float(speaks_seconds[~ordered["bad"]].sum())
    return good_seconds / observed_seconds if observed_seconds > 0 else float("nan")


def _worst_minute(rows: pd.DataFrame) -> dict[str, Any]:
    by_minute = rows.groupby(rows["time"].dt.floor("min"))
    minutes = pd.DataFrame({"errors": by_minute["bad"].mean(), "p95": by_minute["answer_seconds"].quantile(0.95)})
    worst = minutes.sort_values(["errors", "p95"], na_position="first", kind="stable").iloc[-1]
    return {
        "worst_minute": worst.name,
        "worst_minute_error_ratio": float(worst["errors"]),
        "worst_minute_p95_seconds": float(worst["p95"]),
    }


def alert_table(alerts: pd.DataFrame, targets: list[str] | None = None) -> pd.DataFrame:
    """The episodes that fired, in order; `lasted_seconds` is NaN for those that never ended.

    The summary is without the target, which has a column.
    """
    fired = only_targets(alerts[alerts["starts_at"].notna()], targets).sort_values("starts_at", kind="stable")
    lasted = (fired["ends_at"] - fired["starts_at"]).dt.total_seconds()
    told = zip(fired["summary"], fired["target"], strict=True)
    what = pd.Series([text.removeprefix(f"{target}: ") for text, target in told], index=fired.index, dtype=object)
    return fired.assign(lasted_seconds=lasted, summary=what).loc[:, ALERT_COLUMNS].reset_index(drop=True)


def only_targets(rows: pd.DataFrame, targets: list[str] | None) -> pd.DataFrame:
    """The rows of some targets; of all if none are named."""
    return rows.loc[rows["target"].isin(targets)] if targets else rows


def headline(summary: pd.DataFrame, alerts: pd.DataFrame, *rows: pd.DataFrame) -> str:
    """What a reader in a hurry must know; `rows` are what was observed, requests and samples."""
    times = pd.concat([part["time"] for part in rows])
    first, last = observed_range(times)
    requests = int(summary["requests"].sum())
    errors = float((summary["error_ratio"] * summary["requests"]).sum()) / requests if requests else float("nan")
    all_fired = alerts[alerts["starts_at"].notna()]
    fired = all_fired[all_fired["inhibited_by"] == ""]
    explained = len(all_fired) - len(fired)
    kinds = ", ".join(f"{count} {name}" for name, count in fired["alertname"].value_counts().items())
    lasted = seconds_in_words((last - first).total_seconds())
    return (
        f"In the {lasted} from {first:%Y-%m-%d %H:%M:%S} UTC on, {_were(len(summary), ' target')} asked "
        f"{requests:,} times; {ratio_in_words(errors)} of the requests were errors. "
        f"{len(fired)} {'alert' if len(fired) == 1 else 'alerts'} fired{f' ({kinds})' if kinds else ''}"
        f"{f'; {_were(explained)} explained by others' if explained else ''}; "
        f"{_were(int((fired['state'] == 'firing').sum()))} still firing at the end."
    )


def _were(count: int, noun: str = "") -> str:
    return f"1{noun} was" if count == 1 else f"{count}{noun}{'s' if noun else ''} were"


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
        If there is nothing to report on.
    """
    if times.empty:
        raise RecordingError("report: expected requests or samples in the chosen range, found none")
    return times.min(), times.max()

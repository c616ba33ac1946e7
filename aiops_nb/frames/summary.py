"""What a session was like: requests of each target, the busiest endpoints and clients, the worst minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from aiops_nb.core.quantities import format_count, format_duration, format_ratio, readable
from aiops_nb.frames.html import session_html

LONGEST_PAUSE_SECONDS = 30.0
MOST_ROWS = 10
NO_CLIENTS = ["client_ip", "requests", "error_ratio"]


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """The statistics of a session; a notebook shows them as tables, `print` as text.

    Attributes
    ----------
    targets
        A row for each target and origin, as `summarise` makes it.
    clients
        The ten busiest clients of traffic: `client_ip`, `requests`, `error_ratio`; empty where no client is known.
    worst_minutes
        The ten minutes with the highest error ratio, then the highest p95: `minute` (UTC), `requests`, `error_ratio`,
        `p95_seconds`.
    """

    targets: pd.DataFrame
    clients: pd.DataFrame
    worst_minutes: pd.DataFrame

    @property
    def requests_total(self) -> int:
        """Requests to all targets."""
        return int(self.targets["requests"].sum()) if len(self.targets) else 0

    @property
    def error_ratio(self) -> float:
        """Share of all requests that failed or got a 5xx; NaN of none."""
        if not self.requests_total:
            return float("nan")
        return float((self.targets["error_ratio"] * self.targets["requests"]).sum()) / self.requests_total

    def headline(self) -> str:
        """All in one sentence."""
        if not self.requests_total:
            return "No requests."
        targets = format_count(self.targets["target"].nunique(), "target")
        requests = format_count(self.requests_total, "request")
        return f"{requests} to {targets}, {format_ratio(self.error_ratio)} errors."

    def __str__(self) -> str:
        parts = [self.headline()]
        for title, table in self._tables().items():
            if len(table):
                parts.append(f"{title}\n{_shown(table).to_string(index=False)}")
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"<SessionSummary: {self.headline()}>"

    def _repr_html_(self) -> str:
        tables = {title: _shown(table) for title, table in self._tables().items() if len(table)}
        shown = [
            {"title": title, "head": list(table.columns), "rows": table.to_numpy().tolist()}
            for title, table in tables.items()
        ]
        return session_html(self.headline(), shown)

    def _tables(self) -> dict[str, pd.DataFrame]:
        busiest = self.targets.head(MOST_ROWS)
        more = len(self.targets) - len(busiest)
        title = f"Targets, the busiest first ({more:,} more)" if more else "Targets, the busiest first"
        return {title: busiest, "Clients": self.clients, "Worst minutes (UTC)": self.worst_minutes}


def session_summary(requests: pd.DataFrame) -> SessionSummary:
    """The statistics of some requests.

    Parameters
    ----------
    requests
        Rows as `Recording.requests()` gives them.

    Examples
    --------
    >>> session_summary(pd.DataFrame(columns=["time", "target", "origin", "client_ip"])).headline()
    'No requests.'
    """
    targets = summarise(requests).sort_values("requests", ascending=False, kind="stable", ignore_index=True)
    if requests.empty:
        return SessionSummary(targets, pd.DataFrame(columns=NO_CLIENTS), pd.DataFrame(columns=["minute"]))
    rows = requests.assign(bad=is_error(requests))
    return SessionSummary(targets, _clients(rows), _worst_minutes(rows))


def _clients(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows.groupby("client_ip", observed=True)["bad"].agg(["size", "mean"]).reset_index()
    found = found.set_axis(NO_CLIENTS, axis=1)
    return found.sort_values("requests", ascending=False, kind="stable", ignore_index=True).head(MOST_ROWS)


def _worst_minutes(rows: pd.DataFrame) -> pd.DataFrame:
    answered = rows["duration_seconds"].where(rows["error_type"].isna())
    by_minute = rows.assign(answered=answered).groupby(rows["time"].dt.floor("min"))
    table = pd.DataFrame(
        {
            "requests": by_minute.size(),
            "error_ratio": by_minute["bad"].mean(),
            "p95_seconds": by_minute["answered"].quantile(0.95),
        }
    )
    ranked = table.sort_values(["error_ratio", "p95_seconds"], ascending=False, kind="stable").head(MOST_ROWS)
    return ranked.rename_axis("minute").reset_index()


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Cells as people read them; the unit is moved from the column's name into the cell."""
    columns = {name: [_cell(str(name), value) for value in table[name]] for name in table.columns}
    return pd.DataFrame({_heading(str(name)): cells for name, cells in columns.items()})


def _heading(name: str) -> str:
    for unit in ("_seconds", "_ratio"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")


def _cell(name: str, value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float | int) and not isinstance(value, bool):
        if pd.isna(value):
            return "-"
        return format_duration(value) if name.endswith("_seconds") and value >= 60 else readable(float(value), name)
    return "-" if value is None or value is pd.NaT else str(value)


def summarise(requests: pd.DataFrame) -> pd.DataFrame:
    """One row for each target (and origin).

    Parameters
    ----------
    requests
        Rows as `Recording.requests()` gives them.

    Returns
    -------
    pandas.DataFrame
        `availability_ratio`: share of the observed time in which the latest request succeeded; a request counts for
        the time since the one before it, at most 30 s. `error_ratio`: share of requests that failed or got a 5xx.
        `p50_seconds` to `p99_seconds`: of the requests that got a response. `worst_minute`: the minute with the
        highest error ratio; if several are equal, the one with the highest p95.
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
    """Whether each request failed or got a 5xx; a boolean per row."""
    return requests["error_type"].notna() | (requests["status_code"].fillna(0) >= 500)


def quantiles(seconds: pd.Series) -> tuple[float, float, float]:
    """Median, p95 and p99 in seconds; NaN if no request got a response."""
    p50, p95, p99 = (float(seconds.quantile(q)) for q in (0.5, 0.95, 0.99))
    return p50, p95, p99


def availability_ratio(times: pd.Series, bad: pd.Series) -> float:
    """Share of the observed time in which requests succeeded; NaN for fewer than two requests.

    Examples
    --------
    >>> times = pd.to_datetime(pd.Series([0, 1, 11, 12]), unit="s", utc=True)
    >>> round(availability_ratio(times, pd.Series([False, False, True, False])), 3)
    0.167
    """
    ordered = pd.DataFrame({"time": times.to_numpy(), "bad": bad.to_numpy()}).sort_values("time", kind="stable")
    weight_seconds = ordered["time"].diff().dt.total_seconds().clip(upper=LONGEST_PAUSE_SECONDS)
    observed_seconds = float(weight_seconds.sum())
    good_seconds = float(weight_seconds[~ordered["bad"]].sum())
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

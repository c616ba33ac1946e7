"""What changed against another period of the same recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.moments import Moment, moment_ns
from aiops_nb.core.quantities import format_duration, format_ratio
from aiops_nb.frames.summary import summarise
from aiops_nb.report.tables import only_targets
from aiops_nb.session.recording import Recording

BEFORE = "before"
COMPARED = ("requests", "error_ratio", "p50_seconds", "p95_seconds", "p99_seconds")
NOTICEABLE = 0.2  # relative change of a latency or of traffic
MOST_NAMED = 5


def other_period(compare_to: str, first: pd.Timestamp, last: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The period of the same length to compare with.

    Parameters
    ----------
    compare_to
        `before`: the time just before; else the moment when the other period begins.
    first, last
        Of the reported rows.

    Returns
    -------
    tuple of pandas.Timestamp
        [start, end), UTC.

    Raises
    ------
    ConfigError
        If it is no moment, or not before the reported period.

    Examples
    --------
    >>> edges = [pd.Timestamp(text) for text in ("2026-01-02T00:00:00Z", "2026-01-02T06:00:00Z")]
    >>> [str(edge) for edge in other_period("before", *edges)]
    ['2026-01-01 18:00:00+00:00', '2026-01-02 00:00:00+00:00']
    """
    length = last - first
    if compare_to == BEFORE:
        return first - length, first
    start_ns = moment_ns(compare_to, "compare_to")
    if start_ns is None:
        raise ConfigError.at("compare_to", "'before' or a time", compare_to)
    start = pd.Timestamp(start_ns, tz="UTC")
    if start >= first:
        raise ConfigError.at("compare_to", f"a time before {first.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}", compare_to)
    return start, min(start + length, first)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with another period.

    Attributes
    ----------
    table
        As `change_table` makes it; empty where there is nothing to compare with.
    sentences
        What changed most.
    why_not
        Why there is no table.
    """

    table: pd.DataFrame
    sentences: list[str]
    why_not: str = ""


def compared(
    source: Recording,
    summary: pd.DataFrame,
    compare_to: str,
    *,
    start: Moment = None,
    end: Moment = None,
    targets: Sequence[str] = (),
) -> Comparison:
    """Compare a report with another period of the same recording.

    Parameters
    ----------
    source
        The recording.
    summary
        Of the report.
    compare_to
        `before`, or the moment when the other period begins; empty: no comparison.
    start, end, targets
        What the report was narrowed to.

    Raises
    ------
    ConfigError
        If `compare_to` is no moment before the reported period.
    """
    recorded = source.time_range
    if not compare_to or recorded is None:
        return Comparison(pd.DataFrame(), [], "No comparison was asked for.")
    start_ns, end_ns = source.covered_range_ns(start, end)
    first = recorded[0] if start_ns is None else pd.Timestamp(start_ns, tz="UTC")
    last = recorded[1] if end_ns is None else pd.Timestamp(end_ns, tz="UTC")
    begin, until = other_period(compare_to, first, last)
    period = f"{begin.tz_convert('UTC'):%Y-%m-%d %H:%M:%S} to {until.tz_convert('UTC'):%Y-%m-%d %H:%M:%S} UTC"
    if until <= recorded[0]:
        return Comparison(pd.DataFrame(), [], f"Nothing was recorded from {period}.")
    then = summarise(only_targets(source.requests(start=begin, end=until), targets))
    if then.empty:
        return Comparison(pd.DataFrame(), [], f"No requests from {period}.")
    table = change_table(summary, then)
    return Comparison(table, [f"Compared with {period}.", *change_sentences(table)])


def change_table(now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """Both summaries next to each other.

    Parameters
    ----------
    now, then
        As `summarise` makes them.

    Returns
    -------
    pandas.DataFrame
        A row for each target and origin of either: each figure, and the same with `before_`; NaN where one has none.
    """
    keys = ["target", "origin"]
    left, right = (table.reindex(columns=[*keys, *COMPARED]) for table in (now, then))
    named = right.rename(columns={name: f"before_{name}" for name in COMPARED})
    merged = left.merge(named, on=keys, how="outer")
    columns = [name for column in COMPARED for name in (column, f"before_{column}")]
    return merged.loc[:, [*keys, *columns]]


def change_sentences(changes: pd.DataFrame) -> list[str]:
    """What is worth knowing about the changes, the largest first.

    Parameters
    ----------
    changes
        As `change_table` makes it.

    Examples
    --------
    >>> line = {"target": "shop", "origin": "probe", "requests": 100, "before_requests": 100, "error_ratio": 0.1}
    >>> line |= {"before_error_ratio": 0.0, "p95_seconds": 0.3, "before_p95_seconds": 0.1}
    >>> change_sentences(pd.DataFrame([line]))
    ['shop: errors 10 %, before 0 %.', 'shop: p95 300 ms, before 100 ms (3 times).']
    """
    found = [one for line in changes.to_dict("records") for one in _changes_of(line)]
    ranked = [text for _, text in sorted(found, key=lambda one: -one[0])]
    more = len(ranked) - MOST_NAMED
    return [*ranked[:MOST_NAMED], *([f"{more} smaller changes are in the table."] if more > 0 else [])]


def _changes_of(line: dict[object, object]) -> list[tuple[float, str]]:
    target = line["target"]
    requests, requests_before = _number(line["requests"]), _number(line["before_requests"])
    if pd.isna(requests_before):
        return [(1e9, f"{target}: new in this period.")]
    if pd.isna(requests):
        return [(1e9, f"{target}: no requests in this period, before {requests_before:,.0f}.")]
    changes = []
    errors, errors_before = _number(line["error_ratio"]), _number(line["before_error_ratio"])
    if abs(errors - errors_before) * min(requests, requests_before) >= 5:  # at least five requests
        text = f"{target}: errors {format_ratio(errors)}, before {format_ratio(errors_before)}."
        changes.append((100 * abs(errors - errors_before), text))
    p95, p95_before = _number(line["p95_seconds"]), _number(line["before_p95_seconds"])
    if p95_before > 0 and abs(p95 / p95_before - 1) >= NOTICEABLE:
        times = p95 / p95_before
        said = f"{format_duration(p95)}, before {format_duration(p95_before)} ({times:.2g} times)"
        changes.append((abs(times - 1), f"{target}: p95 {said}."))
    if abs(requests / requests_before - 1) >= NOTICEABLE:
        text = f"{target}: {requests:,.0f} requests, before {requests_before:,.0f}."
        changes.append((0.5 * abs(requests / requests_before - 1), text))
    return changes


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]

"""The tables: what is found of each kind, and what is notified though nothing is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean, median

from aiops_nb.collect.synthetic import KINDS
from benchmarks.rules.notified import Run
from benchmarks.rules.outcome import Outcome, false_alarms

DAY_SECONDS = 86_400.0
KIND_HEAD = (
    "fault",
    "found",
    "at half the size",
    "by chance",
    "named first",
    "named at all",
    "median delay s",
    "alerts notified",
    "notified first, how often",
)
ALARM_HEAD = ("traffic", "hours", "services", "false alarms", "a day and service", "which")


def kinds_table(outcomes: Sequence[Outcome], by_chance: Sequence[Outcome]) -> str:
    """A row a kind, and one of all; delays and names are of faults of both sizes that were found."""
    rows = [
        _kind_row(kind, [one for one in outcomes if one.kind == kind], [one for one in by_chance if one.kind == kind])
        for kind in KINDS
    ]
    return markdown(KIND_HEAD, [*rows, _kind_row("all", outcomes, by_chance)])


def _kind_row(name: str, outcomes: Sequence[Outcome], by_chance: Sequence[Outcome]) -> list[str]:
    full, half = ([one for one in outcomes if one.halved is halved] for halved in (False, True))
    found = [one for one in outcomes if one.found]
    first = Counter(one.found[0].alertname for one in found)
    return [
        name if name == "all" else f"`{name}`",
        _share(full),
        _share(half),
        _share(by_chance),
        f"{sum(one.is_named for one in outcomes)}",
        f"{sum(one.is_named_later for one in outcomes)}",
        f"{median(one.delay_seconds for one in found):.0f}" if found else "-",
        f"{mean(len(one.notified) for one in found):.1f}" if found else "-",
        "" if name == "all" else ", ".join(f"`{alert}` {count}" for alert, count in first.most_common()),
    ]


def _share(outcomes: Sequence[Outcome]) -> str:
    return f"{sum(bool(one.found) for one in outcomes)} of {len(outcomes)}"


def alarms_table(healthy: Sequence[Run], faulty: Sequence[Run]) -> str:
    """A row a making of healthy traffic, one of all of it, and one of what is notified between faults."""
    scenarios = dict.fromkeys(run.stream.making for run in healthy)
    rows = [_alarm_row(name, [run for run in healthy if run.stream.making == name]) for name in scenarios]
    return markdown(ALARM_HEAD, [*rows, _alarm_row("all of these", healthy), _alarm_row("between faults", faulty)])


def _alarm_row(name: str, runs: Sequence[Run]) -> list[str]:
    alarms = Counter(one.alertname for run in runs for one in false_alarms(run))
    seconds = sum(run.stream.seconds for run in runs)
    service_days = sum(run.stream.seconds * run.stream.options["targets"] for run in runs) / DAY_SECONDS
    return [
        name,
        f"{seconds / 3600:.1f}",
        " or ".join(dict.fromkeys(str(run.stream.options["targets"]) for run in runs)),
        f"{alarms.total()}",
        f"{alarms.total() / service_days:.2f}" if runs else "-",
        ", ".join(f"`{alert}` {count}" for alert, count in alarms.most_common()),
    ]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; all but the first and the last column are numbers.

    Examples
    --------
    >>> print(markdown(("a", "b", "c"), [("x", "1", "y")]))
    | a | b | c |
    |---|---:|---|
    | x | 1 | y |
    """
    rule = "|---|" + "---:|" * (len(head) - 2) + "---|"
    return "\n".join([_line(head), rule, *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

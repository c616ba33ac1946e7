"""What the monitor says of itself, as a sentence and a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypedDict

import pyarrow as pa

MONITOR = "monitor"
NOT_KNOWN = "\N{EN DASH}"
MOST_SOURCES = 50
Values = Mapping[str, float]


class SelfRow(TypedDict):
    """One source: texts with units."""

    source: str
    rows: str
    total: str
    lag: str
    lost: str


class SelfFacts:
    """The newest samples of the monitor about itself, by target and metric.

    Examples
    --------
    >>> facts = SelfFacts()
    >>> facts.note("web", {"rows_hz": 20.0, "rows_total": 1200.0, "rejected_too_long_total": 2.0})
    >>> facts.note("monitor", {"queue_batches": 0.0})
    >>> facts.sentence()
    '20 rows/s, 2 lines rejected or dropped, no batch waits'
    >>> facts.rows()[0]["lost"]
    '2 too long'
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[str, float]] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        """Take in one batch of samples; at most 50 sources are kept."""
        columns = (batch.column(name).to_pylist() for name in ("target", "metric", "value"))
        for target, metric, value in zip(*columns, strict=True):
            self.note(target, {metric: math.nan if value is None else value})

    def note(self, target: str, values: Values) -> None:
        """Take in some values of one target."""
        if target in self._values or len(self._values) <= MOST_SOURCES:
            self._values.setdefault(target, {}).update(values)

    def sentence(self) -> str:
        """How the monitor is doing; empty if it has not said."""
        if not self._values:
            return ""
        sources = [values for target, values in self._values.items() if target != MONITOR]
        rate = sum(values.get("rows_hz", 0.0) for values in sources)
        lost = round(sum(sum(_lost(values).values()) for values in sources))
        waiting = round(self._values.get(MONITOR, {}).get("queue_batches", 0))
        told = [f"{rate:,.3g} rows/s", f"{lost:,} lines rejected or dropped" if lost else "nothing rejected"]
        return ", ".join([*told, *_unused(self._values.get(MONITOR, {})), _waiting(waiting)])

    def rows(self) -> list[SelfRow]:
        """A row of the table for each source."""
        return [_row(target, values) for target, values in sorted(self._values.items()) if target != MONITOR]


def _row(source: str, values: Values) -> SelfRow:
    lag = values.get("lag_seconds")
    return SelfRow(
        source=source,
        rows=f"{values.get('rows_hz', 0.0):,.3g} /s",
        total=f"{values.get('rows_total', 0.0):,.0f}",
        lag=f"{lag:,.2g} s" if lag is not None and math.isfinite(lag) else NOT_KNOWN,
        lost=", ".join(f"{count:,.0f} {why}" for why, count in _lost(values).items()) or "none",
    )


def _lost(values: Values) -> dict[str, float]:
    """What was not used, by its reason in words."""
    rejected = {name: value for name, value in values.items() if name.startswith("rejected_") and value > 0}
    reasons = {name.removeprefix("rejected_").removesuffix("_total"): value for name, value in rejected.items()}
    dropped = {"dropped": values["dropped_total"]} if values.get("dropped_total", 0) > 0 else {}
    return {name.replace("_", " "): value for name, value in (reasons | dropped).items()}


def _unused(monitor: Values) -> list[str]:
    words = {"late_total": "too late", "ahead_total": "from the future", "poll_errors_total": "failed polls"}
    return [f"{monitor[name]:,.0f} {word}" for name, word in words.items() if monitor.get(name, 0) > 0]


def _waiting(batches: int) -> str:
    return "no batch waits" if not batches else f"{batches} batch{'es' * (batches > 1)} wait{'s' * (batches == 1)}"

"""What the monitor reports about itself, as a sentence and a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypedDict

import pyarrow as pa

from aiops_nb.core.quantities import format_count, format_duration, format_number, format_rate

MONITOR = "monitor"
NOT_KNOWN = "\N{EN DASH}"
MOST_SOURCES = 50
Values = Mapping[str, float]


class SelfRow(TypedDict):
    """One source: strings with units."""

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
    '20 rows/s, 2 rejected, queue empty'
    >>> facts.rows()[0]["lost"], facts.rejected_total()
    ('2 too long', 2)
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

    def rejected_total(self) -> int:
        """Lines that no source could use, and rows that were dropped."""
        return round(sum(sum(_lost(values).values()) for values in self._sources().values()))

    def sentence(self) -> str:
        """The health of the monitor; empty before its first samples."""
        if not self._values:
            return ""
        rate = sum(values.get("rows_hz", 0.0) for values in self._sources().values())
        monitor = self._values.get(MONITOR, {})
        parts = [f"{format_number(rate, digits=3)} rows/s", f"{format_count(self.rejected_total())} rejected"]
        return ", ".join([*parts, *_unused(monitor), _queue(round(monitor.get("queue_batches", 0)))])

    def rows(self) -> list[SelfRow]:
        """A row of the table for each source."""
        return [_row(target, values) for target, values in sorted(self._sources().items())]

    def _sources(self) -> dict[str, dict[str, float]]:
        return {target: values for target, values in self._values.items() if target != MONITOR}


def _row(source: str, values: Values) -> SelfRow:
    lag = values.get("lag_seconds")
    return SelfRow(
        source=source,
        rows=format_rate(values.get("rows_hz", 0.0)),
        total=format_count(values.get("rows_total", 0.0)),
        lag=format_duration(lag) if lag is not None and math.isfinite(lag) else NOT_KNOWN,
        lost=", ".join(f"{format_count(count)} {why}" for why, count in _lost(values).items()) or "none",
    )


def _lost(values: Values) -> dict[str, float]:
    """Lines and rows that were not used, by reason."""
    rejected = {name: value for name, value in values.items() if name.startswith("rejected_") and value > 0}
    reasons = {name.removeprefix("rejected_").removesuffix("_total"): value for name, value in rejected.items()}
    dropped = {"dropped": values["dropped_total"]} if values.get("dropped_total", 0) > 0 else {}
    return {name.replace("_", " "): value for name, value in (reasons | dropped).items()}


def _unused(monitor: Values) -> list[str]:
    words = {
        "late_total": "late",
        "ahead_total": "with a timestamp in the future",
        "poll_errors_total": "failed polls",
    }
    return [f"{format_count(monitor[name])} {word}" for name, word in words.items() if monitor.get(name, 0) > 0]


def _queue(batches: int) -> str:
    return "queue empty" if not batches else f"{format_count(batches, 'batch')} queued"

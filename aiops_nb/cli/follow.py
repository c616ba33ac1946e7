"""What `watch` and `replay` do with a monitor that runs: print its changes until it is over, stop it, sum up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_nb.cli.changes import ChangePrinter, ChangeQueue, write_line
from aiops_nb.cli.signals import StopWish

if TYPE_CHECKING:
    from aiops_nb.monitor import Monitor


def follow(
    monitor: Monitor, changes: ChangeQueue, printer: ChangePrinter, wish: StopWish, for_seconds: float | None = None
) -> None:
    """Print changes until the monitor ends, the time is over, or somebody wishes it; then stop, print the rest."""
    deadline = time.monotonic() + for_seconds if for_seconds else float("inf")
    try:
        for change in changes.until(lambda: _is_over(monitor, wish, deadline)):
            printer.write(change)
    finally:
        monitor.stop()
    for change in changes.rest():
        printer.write(change)


def _is_over(monitor: Monitor, wish: StopWish, deadline: float) -> bool:
    return bool(wish.exit_code) or not monitor.running or time.monotonic() >= deadline


def summarise(monitor: Monitor, printer: ChangePrinter, record: Path | None = None) -> None:
    """One last line for people; programs get nothing but changes."""
    if printer.as_json:
        return
    counters = monitor.counters
    parts = [f"{counters.rows_total:,} rows", printer.summary()]
    if counters.late_total or counters.ahead_total:
        parts.append(f"{counters.late_total:,} late and {counters.ahead_total:,} early rows not used")
    if record is not None:
        parts.append(f"recorded in {record}")
    write_line("; ".join(parts))

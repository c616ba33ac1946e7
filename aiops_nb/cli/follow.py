"""What `watch` and `replay` do with a monitor that runs: print its changes until it is over, stop it, sum up."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

from aiops_nb.cli.output import ChangePrinter, ChangeQueue, write_line
from aiops_nb.cli.process import StopWish
from aiops_nb.core.errors import AiopsError

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor

_log = logging.getLogger(__name__)


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
    _require_orderly_end(monitor)


def _require_orderly_end(monitor: Monitor) -> None:
    failures = [warning for warning in monitor.warnings() if warning.startswith(("engine: ", "replay: "))]
    if failures:
        raise AiopsError("; ".join(failures))


def _is_over(monitor: Monitor, wish: StopWish, deadline: float) -> bool:
    return bool(wish.exit_code) or not monitor.running or time.monotonic() >= deadline


def summarise(monitor: Monitor, printer: ChangePrinter, record: str | None = None) -> None:
    """One last line for people, and what they should know; programs get nothing but changes."""
    where = f"; recorded in {record}" if record is not None else ""
    told = f"{monitor.counters.rows_total:,} rows; {printer.summary()}{where}"
    _log.info("ended: %s", told)
    if printer.as_json:
        return
    write_line(told)
    for warning in monitor.warnings():
        print(f"aiops-nb: {warning}", file=sys.stderr)

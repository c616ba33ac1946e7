"""What `watch` and `replay` do with a monitor that runs: print its changes until it is over, stop it, summarise."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.cli.output import ChangePrinter, ChangeQueue, write_line
from aiops_nb.cli.process import StopWish
from aiops_nb.cli.tally import Tally
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.quantities import format_count, printable

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
BUSY_BATCHES = 20
_NUMBERS = re.compile(r"[\d,.]+")
_EXAMPLE = re.compile(r"(?: \([^)]*\))?, such as '.*'")


class WarningPrinter:
    """Prints each warning of a monitor to the error stream when it first comes, and again when its count is tenfold.

    People are also shown notices, such as the pattern that was found for a log.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._printed: dict[str, tuple[str, int]] = {}
        self._noted: set[str] = set()

    def print_new(self, monitor: Monitor, *, all_changed: bool = False) -> int:
        """Print what is new; at the end also what has changed. Returns how many lines were printed."""
        from aiops_nb.monitor.self_observation import IN_PYTHON

        fresh = []
        for warning in (one.removesuffix(IN_PYTHON) for one in monitor.warnings()):
            kind, size = _NUMBERS.sub("#", _EXAMPLE.sub("", warning)), _first_number(warning)
            before = self._printed.get(kind)
            if before is None or size >= 10 * max(before[1], 1) or (all_changed and before[0] != warning):
                self._printed[kind] = warning, size
                fresh.append(warning)
        for notice in () if self._as_json else monitor.notices():
            if notice not in self._noted:
                self._noted.add(notice)
                print(printable(f"aiops-nb: {notice}"), file=sys.stderr, flush=True)
        for warning in fresh:
            text = (
                msgspec.json.encode({"warning": warning}).decode()
                if self._as_json
                else printable(f"aiops-nb: {warning}")
            )
            print(text, file=sys.stderr, flush=True)
        return len(fresh)


def _first_number(warning: str) -> int:
    match = re.search(r"\d[\d,]*", warning)
    return int(match[0].replace(",", "")) if match else 0


def follow(
    monitor: Monitor,
    changes: ChangeQueue,
    printer: ChangePrinter,
    wish: StopWish,
    for_seconds: float | None = None,
    warnings: WarningPrinter | None = None,
) -> None:
    """Print changes until the monitor ends, the time is over, or a signal comes; then stop, and print the rest."""
    warnings = warnings or WarningPrinter(as_json=printer.as_json)
    deadline = time.monotonic() + for_seconds if for_seconds else float("inf")
    due = 0.0
    try:
        for change in changes.until(lambda: _is_over(monitor, wish, deadline)):
            if change is not None:
                printer.write(change)
            if time.monotonic() >= due:
                due = time.monotonic() + LOOK_SECONDS
                printer.status.clear()
                warnings.print_new(monitor)
                printer.status.write(_heartbeat(monitor))
    finally:
        printer.status.clear()
        monitor.stop()
    for change in changes.rest():
        printer.write(change)
    _require_orderly_end(monitor)


def _heartbeat(monitor: Monitor) -> str:
    now, counters = rfc3339(time.time_ns())[11:19], monitor.counters
    if (done := monitor.progress_ratio) is not None:
        now = f"replay, {done:.0%}"
    firing = format_count(len(monitor.firing()), "alert")
    queue = f", {counters.queued_batches} batches queued" if counters.queued_batches > BUSY_BATCHES else ""
    return f"{now}  {format_count(counters.rows_total, 'row')}, {firing} firing{queue}"


def _require_orderly_end(monitor: Monitor) -> None:
    failures = [warning for warning in monitor.warnings() if warning.startswith(("engine: ", "replay: "))]
    if failures:
        raise AiopsError("; ".join(failures))


def _is_over(monitor: Monitor, wish: StopWish, deadline: float) -> bool:
    return bool(wish.exit_code) or not monitor.running or time.monotonic() >= deadline


def summarise(
    monitor: Monitor,
    printer: ChangePrinter,
    tally: Tally,
    record: str | None = None,
    warnings: WarningPrinter | None = None,
) -> None:
    """For people a line for each target and a total; for all, warnings that are new or have changed."""
    where = f"; recorded in {record}" if record is not None else ""
    total = f"{tally.total()}; {printer.summary()}{where}"
    _log.info("ended: %s", total)
    printer.status.clear()
    if not printer.as_json:
        for line in tally.lines():
            write_line(printable(line))
        write_line(total)
    (warnings or WarningPrinter(as_json=printer.as_json)).print_new(monitor, all_changed=True)

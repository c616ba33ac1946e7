"""`aiops-nb watch`: watch URLs from a terminal, with no Jupyter at all."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiops_nb
from aiops_nb.cli.arguments import duration_seconds
from aiops_nb.cli.follow import WarningPrinter, follow, summarise
from aiops_nb.cli.output import ChangePrinter, ChangeQueue, StatusLine, write_line
from aiops_nb.cli.process import ALERTED, OK, stop_wishes
from aiops_nb.cli.tally import Tally
from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.quantities import exact_duration, format_count
from aiops_nb.core.urls import mask_url

if TYPE_CHECKING:
    from aiops_nb.monitor.exposition import MetricsPage
    from aiops_nb.monitor.monitor import Monitor
    from aiops_nb.session.plan import Plan

_log = logging.getLogger(__name__)

SUMMARY = "watch URLs and this host; prints a line for every change of an alert"
EXAMPLE = "aiops-nb watch https://example.org/health --for 60s --record recordings/today"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument(
        "targets",
        nargs="*",
        metavar="URL",
        help="http:// or https://, in addition to those of --config; none: this host only",
    )
    command.add_argument(
        "--interval", type=duration_seconds, metavar="TIME", help="polling interval (default: 1s, or that of FILE)"
    )
    command.add_argument(
        "--for", dest="for_seconds", type=duration_seconds, metavar="TIME", help="stop after this time, e.g. 30s"
    )
    command.add_argument("--record", type=Path, metavar="DIR", help="record to this folder (default: that of FILE)")
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML configuration file (docs/reference/configuration.md)"
    )
    command.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="show the latest values at http://127.0.0.1:PORT/metrics"
    )
    add_output_arguments(command)


def add_output_arguments(command: argparse.ArgumentParser) -> None:
    """Declare what `watch` and `replay` share."""
    command.add_argument("--json", action="store_true", help="print one JSON object per line")
    command.add_argument("--fail-on-alert", action="store_true", help="exit with 3 if any alert fired")


def run(arguments: argparse.Namespace) -> int:
    """Watch until the time is over or it is interrupted; the recording is sealed in either case."""
    from aiops_nb.session.plan import plan_run

    for target in arguments.targets:
        if "://" not in target and Path(target).is_file():
            raise ConfigError(
                f"{target}: is a file, not a URL; a log is read by --config with "
                f"collectors: [{{type: access_log, path: {target}}}], a configuration by --config {target}"
            )
    directory = None if arguments.record is None else str(arguments.record)
    plan = plan_run(arguments.targets, arguments.config, interval_seconds=arguments.interval, record=directory)
    status = StatusLine(None if arguments.json else sys.stderr)
    changes, printer, tally = ChangeQueue(), ChangePrinter(as_json=arguments.json, status=status), Tally()
    warnings = WarningPrinter(as_json=arguments.json)
    with ExitStack() as stack, stop_wishes(changes.wake) as wish:
        pages = [] if arguments.metrics_port is None else [stack.enter_context(_metrics_page(arguments.metrics_port))]
        monitor = aiops_nb.watch(
            arguments.targets,
            interval_seconds=arguments.interval,
            record=plan.record,
            config=arguments.config,
            sinks=[changes, tally, *pages],
        )
        listening(monitor)
        text = begun(plan, arguments.for_seconds)
        _log.info("%s", text)
        if not arguments.json:
            write_line(text)
            for page in pages:
                write_line(f"metrics at {page.url}")
        follow(monitor, changes, printer, wish, arguments.for_seconds, warnings)
    summarise(monitor, printer, tally, plan.record, warnings)
    return wish.exit_code or (ALERTED if arguments.fail_on_alert and printer.fired else OK)


def _metrics_page(port: int) -> MetricsPage:
    from aiops_nb.monitor.exposition import MetricsPage

    return MetricsPage(port)


def listening(monitor: Monitor) -> None:
    """Let `aiops-nb ack` and others reach the monitor; it watches all the same where they cannot."""
    try:
        monitor.listen()
    except (AiopsError, OSError) as problem:
        _log.warning("aiops-nb alerts, ack, comment and silence cannot reach this monitor: %s", problem)


MOST_NAMED = 3


def begun(plan: Plan, for_seconds: float | None = None) -> str:
    """The first line: what is watched, how often, and where it is recorded.

    Examples
    --------
    >>> from aiops_nb.session.plan import plan_run
    >>> begun(plan_run(["http://127.0.0.1/a"], {"host_metrics": False, "interval": "5s"}))
    'watching http://127.0.0.1/a every 5 s; not recorded; Ctrl-C to stop'
    """
    intervals = {probe.interval_at(plan.config.interval_seconds) for probe in plan.probes.values()}
    parts = []
    if plan.probes:
        named = ", ".join(map(mask_url, plan.probes)) if len(plan.probes) <= MOST_NAMED else ""
        paces = " to ".join(exact_duration(pace) for pace in sorted({min(intervals), max(intervals)}))
        parts.append(f"{named or format_count(len(plan.probes), 'target')} every {paces}")
    parts += [f"{one.name}" for one in plan.config.collectors]
    parts += ["this host"] if plan.host is not None else []
    where = f"recording to {plan.record}" if plan.record else "not recorded"
    until = f"stops after {exact_duration(for_seconds)}" if for_seconds else "Ctrl-C to stop"
    return f"watching {', '.join(parts)}; {where}; {until}"

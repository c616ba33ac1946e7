"""`aiops-nb watch`: watch URLs from a terminal, with no Jupyter at all."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import aiops_nb
from aiops_nb.cli.arguments import duration_seconds
from aiops_nb.cli.follow import follow, summarise
from aiops_nb.cli.output import ChangePrinter, ChangeQueue
from aiops_nb.cli.process import ALERTED, OK, stop_wishes
from aiops_nb.core.urls import mask_url

_log = logging.getLogger(__name__)

SUMMARY = "watch URLs and this host; one line for every change of an alert's state"
EXAMPLE = "aiops-nb watch https://example.org/health --for 60s --record recordings/today"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument(
        "targets",
        nargs="*",
        metavar="URL",
        help="http:// or https://, beside those of --config; none at all: only this host",
    )
    command.add_argument("--interval", type=duration_seconds, metavar="TIME", help="(default: 1s, or what FILE says)")
    command.add_argument(
        "--for", dest="for_seconds", type=duration_seconds, metavar="TIME", help="then end; 30s, 5m, 2h"
    )
    command.add_argument(
        "--record", type=Path, metavar="DIR", help="write everything seen here (default: as FILE says)"
    )
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML: what a run can be told (docs/reference/configuration.md)"
    )
    add_output_arguments(command)


def add_output_arguments(command: argparse.ArgumentParser) -> None:
    """Declare what `watch` and `replay` share."""
    command.add_argument("--json", action="store_true", help="one JSON object per line and nothing else")
    command.add_argument("--fail-on-alert", action="store_true", help="exit with 3 if any alert fired")


def run(arguments: argparse.Namespace) -> int:
    """Watch until the time is over or somebody ends it; the recording is sealed in either case."""
    from aiops_nb.session.plan import plan_run

    directory = None if arguments.record is None else str(arguments.record)
    plan = plan_run(arguments.targets, arguments.config, interval_seconds=arguments.interval, record=directory)
    changes, printer = ChangeQueue(), ChangePrinter(as_json=arguments.json)
    with stop_wishes(changes.wake) as wish:
        monitor = aiops_nb.watch(
            arguments.targets,
            interval_seconds=arguments.interval,
            record=plan.record,
            config=arguments.config,
            sinks=[changes],
        )
        _log.info("watching %s", ", ".join(map(mask_url, plan.probes)) or "no URL")
        follow(monitor, changes, printer, wish, arguments.for_seconds)
    summarise(monitor, printer, plan.record)
    return wish.exit_code or (ALERTED if arguments.fail_on_alert and printer.fired else OK)

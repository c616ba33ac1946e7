"""`aiops-nb alerts`: the alerts of a running monitor."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from aiops_nb.cli.control import add_monitor_arguments, asked
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK
from aiops_nb.core.quantities import printable

SUMMARY = "list the active alerts of a running monitor, with their fingerprints"
EXAMPLE = "aiops-nb alerts --json"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("--all", action="store_true", help="also those that are over")
    command.add_argument("--json", action="store_true", help="print one JSON object per line")
    add_monitor_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """List them."""
    from aiops_nb.monitor.answering.control import Alerts

    alerts: list[dict[str, Any]] = asked(arguments, Alerts(all=arguments.all))
    for one in alerts:
        write_line(msgspec.json.encode(one).decode() if arguments.json else printable(_line(one)))
    if not alerts and not arguments.json:
        write_line("no alerts" if arguments.all else "no active alerts")
    return OK


def _line(one: dict[str, Any]) -> str:
    marks = [f"acknowledged by {one['acknowledged_by']}"] if one["acknowledged_by"] else []
    marks += [f"silenced by {one['silenced_by']}"] if one["silenced_by"] else []
    marks += [f"inhibited by {one['inhibited_by']}"] if one["inhibited_by"] else []
    marks += [one["note"]] if one["note"] else []
    answers = f"  ({'; '.join(marks)})" if marks else ""
    name = f"{one['severity']:<8}  {one['alertname']:<21}"
    return f"{one['fingerprint']}  {one['state']:<8}  {name}  {one['summary']}{answers}"

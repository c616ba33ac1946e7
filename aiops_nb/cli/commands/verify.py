"""`aiops-nb verify`: whether a report, or what is kept of a recording, still follows from the rows."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from aiops_nb.cli.commands.report import add_trust_argument
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import MISTAKE, OK
from aiops_nb.core.quantities import printable

SUMMARY = "derive a report, or the kept tables of a recording, again from the rows, and name what differs"
EXAMPLE = "aiops-nb verify reports/monitoring_20261123T080000Z_20261123T082000Z_4ee8b66c_1f2e3d4c.html"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument(
        "report",
        type=Path,
        metavar="REPORT|RECORDING",
        help="HTML page, notebook or JSON file of a report, or the directory of a recording",
    )
    command.add_argument(
        "--recording", type=Path, metavar="DIR", help="where its recording is now (default: where it was)"
    )
    add_trust_argument(command)
    command.add_argument("--json", action="store_true", help="print one JSON object for each figure or table")


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; exit with 1 if anything does."""
    if arguments.report.is_dir():
        return _verify_recording(arguments)
    from aiops_nb.report.proof.later import verify_report

    checks = verify_report(arguments.report, arguments.recording, trust=arguments.trust)
    differing = checks[~checks["is_equal"]]
    if arguments.json:
        for check in checks.to_dict("records"):
            write_line(msgspec.json.encode(check).decode())
    elif differing.empty:
        write_line(f"{len(checks)} figures, all reproduced")
    else:
        write_line(f"{len(differing)} of {len(checks)} figures differ")
        for check in differing.to_dict("records"):
            write_line(f"  {check['figure']}: reported {check['reported']:g}, now {check['recomputed']:g}")
    return OK if differing.empty else MISTAKE


def _verify_recording(arguments: argparse.Namespace) -> int:
    """A line for each derived table."""
    from aiops_nb.session.recording import open_recording

    found = open_recording(arguments.report, trust=arguments.trust).verify()
    for one in found.to_dict("records"):
        if arguments.json:
            write_line(msgspec.json.encode(one).decode())
        else:
            outcome = "equal" if one["is_equal"] else f"equal, then {one['difference']}"
            write_line(printable(f"{one['table']:<18}  {one['rows']:>12,} rows {outcome}"))
    if found.empty and not arguments.json:
        write_line("no derived tables are kept; nothing to compare")
    return OK if found["is_equal"].all() else MISTAKE

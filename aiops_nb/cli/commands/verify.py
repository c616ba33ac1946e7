"""`aiops-nb verify`: whether a report still follows from its recording."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from aiops_nb.cli.commands.report import add_trust_argument
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import MISTAKE, OK

SUMMARY = "derive the figures of a report again from its recording, and name what differs"
EXAMPLE = "aiops-nb verify reports/monitoring_20261123T080000Z_20261123T082000Z_4ee8b66c_1f2e3d4c.html"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("report", type=Path, metavar="REPORT", help="HTML page, notebook or JSON file of a report")
    command.add_argument(
        "--recording", type=Path, metavar="DIR", help="where its recording is now (default: where it was)"
    )
    add_trust_argument(command)
    command.add_argument("--json", action="store_true", help="print one JSON object for each figure")


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; exit with 1 if anything does."""
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

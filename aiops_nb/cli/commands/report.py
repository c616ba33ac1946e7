"""`aiops-nb report`: a notebook and an HTML page of a recording."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import aiops_nb
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import code_of

SUMMARY = "make a report of a recording: an executed notebook, and HTML whose charts zoom with no network"
FORMS = "e.g. 2026-05-28T20:26:40Z, 2026-05-28, -1h, yesterday"
EXAMPLE = "aiops-nb report recordings/today --out reports"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("recording", type=Path, metavar="RECORDING", help="folder of a recording")
    command.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add_range_arguments(command)
    command.add_argument(
        "--targets",
        nargs="+",
        metavar="TARGET",
        help="only these targets, by name or pattern such as '*/checkout' (default: all)",
    )
    command.add_argument("--json", action="store_true", help="print the paths as one JSON object")


def add_range_arguments(command: argparse.ArgumentParser) -> None:
    """Declare what `report` and `export` share: a half-open range of time."""
    command.add_argument("--start", metavar="TIME", help=f"start time, {FORMS} (default: beginning of the recording)")
    command.add_argument("--end", metavar="TIME", help="end time, exclusive (default: end of the recording)")
    add_trust_argument(command)


def add_trust_argument(command: argparse.ArgumentParser) -> None:
    """Declare what every command that opens a recording has."""
    command.add_argument("--trust", action="store_true", help="allow the recording's rules to run estimators it names")


def run(arguments: argparse.Namespace) -> int:
    """Make the report, and say where it is."""
    from aiops_nb.report.run import run_report

    paths = run_report(
        arguments.recording,
        out=arguments.out,
        start=arguments.start,
        end=arguments.end,
        targets=arguments.targets,
        trust=arguments.trust,
    )
    named = {"html": str(paths.html), "notebook": str(paths.notebook)}
    write_line(json.dumps(named) if arguments.json else "\n".join(named.values()))
    return _code_of_rows(arguments)


def _code_of_rows(arguments: argparse.Namespace) -> int:
    """The notebook read them in a process of its own, which cannot report what it could not read."""
    recording = aiops_nb.open_recording(arguments.recording)
    recording.requests(start=arguments.start, end=arguments.end)
    recording.samples(start=arguments.start, end=arguments.end)
    return code_of(recording)

"""`aiops-nb report`: a notebook and an HTML page of a recording."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiops_nb
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import MISTAKE, code_of
from aiops_nb.core.schemas import TableName

if TYPE_CHECKING:
    from aiops_nb.report import ReportOutcome

SUMMARY = "make reports of recordings: executed notebooks, and HTML whose charts zoom with no network"
FORMS = "e.g. 2026-05-28T20:26:40Z, 2026-05-28, -1h, yesterday"
EXAMPLE = "aiops-nb report recordings/today --out reports"
OBSERVED: tuple[TableName, ...] = ("requests", "samples")
PERIODS = ("hour", "day", "week", "month")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING", help="folder of a recording")
    command.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add_range_arguments(command)
    command.add_argument("--since", metavar="TIME", help="the last part of the recording, e.g. 24h: --start -24h")
    command.add_argument("--last", choices=PERIODS, help="the last whole period by the clock of --timezone")
    command.add_argument("--timezone", default="UTC", metavar="ZONE", help="whose clock is shown (default: UTC)")
    command.add_argument(
        "--compare-to", default="before", metavar="TIME", help="begin of another period, or 'before' (default)"
    )
    command.add_argument("--title", metavar="TEXT", help="of the reports (default: recording and range)")
    command.add_argument(
        "--targets",
        nargs="+",
        metavar="TARGET",
        help="only these targets, by name or pattern such as '*/checkout' (default: all)",
    )
    command.add_argument("--pdf", action="store_true", help="print a PDF, too, by an installed Chromium")
    command.add_argument("--parallel", type=int, default=1, metavar="N", help="so many reports at once (default: 1)")
    command.add_argument("--unless-made", action="store_true", help="make none that is in DIR already")
    command.add_argument("--json", action="store_true", help="print the paths as one JSON object for each report")


def add_range_arguments(command: argparse.ArgumentParser) -> None:
    """Declare what `report` and `export` share: a half-open range of time."""
    command.add_argument("--start", metavar="TIME", help=f"start time, {FORMS} (default: beginning of the recording)")
    command.add_argument("--end", metavar="TIME", help="end time, exclusive (default: end of the recording)")
    add_trust_argument(command)


def add_trust_argument(command: argparse.ArgumentParser) -> None:
    """Declare what every command that opens a recording has."""
    command.add_argument("--trust", action="store_true", help="allow the recording's rules to run estimators it names")


def run(arguments: argparse.Namespace) -> int:
    """Make the reports, and say where they are; one that fails leaves the others alone."""
    from aiops_nb.report.batch.many import only_run, run_reports

    start = arguments.start
    if arguments.since is not None:
        start = f"-{arguments.since.lstrip('-')}"
    options: dict[str, Any] = {
        "start": start,
        "end": arguments.end,
        "last": arguments.last,
        "timezone": arguments.timezone,
        "title": arguments.title,
        "pdf": arguments.pdf,
        "compare_to": arguments.compare_to,
        "targets": arguments.targets,
        "trust": arguments.trust,
        "unless_made": arguments.unless_made,
    }
    with only_run(arguments.out):
        outcomes = run_reports(
            arguments.recordings,
            out=arguments.out,
            parallel=arguments.parallel,
            done=partial(_say, as_json=arguments.json),
            **options,
        )
    return max(MISTAKE if one.error else _code_of_rows(one.recording, start, arguments.end) for one in outcomes)


def _say(outcome: ReportOutcome, *, as_json: bool) -> None:
    if outcome.paths is None:
        print(f"aiops-nb: {outcome.error}", file=sys.stderr)
        return
    paths = {name: getattr(outcome.paths, name) for name in ("html", "pdf", "notebook", "figures")}
    named = {name: str(path) for name, path in paths.items() if path is not None}
    write_line(json.dumps(named) if as_json else "\n".join(named.values()))


def _code_of_rows(folder: Path, start: str | None, end: str | None) -> int:
    """The notebook read them in a process of its own, which cannot report what it could not read."""
    recording = aiops_nb.open_recording(folder)
    start_ns, end_ns = recording.covered_range_ns(start, end)
    for name in OBSERVED:
        for _ in recording.reader.blocks(name, start_ns=start_ns, end_ns=end_ns):
            pass
    return code_of(recording)

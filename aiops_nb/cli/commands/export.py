"""`aiops-nb export`: the tables of a recording for other tools."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import aiops_nb
from aiops_nb.cli.commands.report import add_range_arguments
from aiops_nb.cli.output import StatusLine, write_line
from aiops_nb.cli.process import code_of
from aiops_nb.core.quantities import format_count, readable
from aiops_nb.session.recording import Recording

SUMMARY = "write the tables of a recording as CSV, JSON lines or Parquet"
EXAMPLE = "aiops-nb export recordings/today --out exported --format csv --tables requests alerts"
FORMATS = ("csv", "jsonl", "parquet")
TABLES = ("requests", "samples", "features", "scores", "alerts", "labels")
NAMINGS = ("aiops_nb", "otel", "prometheus")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("recording", type=Path, metavar="RECORDING", help="folder of a recording")
    command.add_argument("--out", type=Path, default=Path("exported"), metavar="DIR", help="default: exported")
    command.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")
    command.add_argument(
        "--tables", nargs="+", choices=TABLES, metavar="TABLE", help=f"only these: {', '.join(TABLES)}"
    )
    command.add_argument(
        "--naming", choices=NAMINGS, default=NAMINGS[0], help="names of columns (default: %(default)s)"
    )
    add_range_arguments(command)
    command.add_argument("--json", action="store_true", help="print one JSON object per file")


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and print their paths."""
    from aiops_nb.report.export import TABLES as ALL_TABLES
    from aiops_nb.report.export import export_tables

    recording = aiops_nb.open_recording(arguments.recording, trust=arguments.trust)
    start, end = (None if edge is None else np.datetime64(edge, "ns") for edge in _range_ns(recording, arguments))
    status, files, size_bytes = StatusLine(None if arguments.json else sys.stderr), 0, 0
    status.write(f"writing {', '.join(arguments.tables or ALL_TABLES)} ...")
    try:
        written = export_tables(
            recording,
            arguments.out,
            format=arguments.format,
            tables=arguments.tables or ALL_TABLES,
            start=start,
            end=end,
            naming=arguments.naming,
        )
    finally:
        status.clear()
    for path in written:
        files, size_bytes = files + 1, size_bytes + path.stat().st_size
        write_line(json.dumps({"file": str(path), "bytes": path.stat().st_size}) if arguments.json else str(path))
    if not arguments.json:
        print(f"{format_count(files, 'file')}, {readable(float(size_bytes), 'size_bytes')}", file=sys.stderr)
    return code_of(recording)


def _range_ns(recording: Recording, arguments: argparse.Namespace) -> tuple[int | None, int | None]:
    """The range in which something is recorded: nothing good is overwritten by nothing."""
    if arguments.start is None and arguments.end is None:
        return None, None
    return recording.covered_range_ns(arguments.start, arguments.end)

"""`aiops-nb export`: the tables of a recording for other tools."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import aiops_nb
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import code_of
from aiops_nb.cli.report import add_range_arguments

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
    command.add_argument("--tables", nargs="+", choices=TABLES, metavar="TABLE", help=f"of {', '.join(TABLES)}")
    command.add_argument("--naming", choices=NAMINGS, default=NAMINGS[0], help="of columns (default: %(default)s)")
    add_range_arguments(command)
    command.add_argument("--json", action="store_true", help="print one JSON object per file")


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and say where they are."""
    from aiops_nb.report.export import TABLES as ALL_TABLES
    from aiops_nb.report.export import export_tables

    recording = aiops_nb.open_recording(arguments.recording)
    written = export_tables(
        recording,
        arguments.out,
        format=arguments.format,
        tables=arguments.tables or ALL_TABLES,
        start=arguments.start,
        end=arguments.end,
        naming=arguments.naming,
    )
    for path in written:
        write_line(json.dumps({"file": str(path)}) if arguments.json else str(path))
    return code_of(recording)

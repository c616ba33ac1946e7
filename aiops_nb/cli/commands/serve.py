"""`aiops-nb serve`: the dashboard as a page of its own, outside of Jupyter."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import aiops_nb
from aiops_nb.cli.commands.report import add_trust_argument
from aiops_nb.cli.commands.watch import listening
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK, stop_wishes

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor

SUMMARY = "show the dashboard of a recording, or of a configuration, in a browser without Jupyter"
EXAMPLE = "aiops-nb serve recordings/today"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument(
        "source",
        type=Path,
        metavar="RECORDING|CONFIG",
        help="folder of a recording, followed while another process writes it; or a YAML file, watched from now on",
    )
    command.add_argument("--port", type=int, default=0, metavar="N", help="port on 127.0.0.1 (default: a free one)")
    add_trust_argument(command)


def run(arguments: argparse.Namespace) -> int:
    """Serve until it is interrupted, which is its normal end."""
    from aiops_nb.serve import DashboardServer

    wished = threading.Event()
    with stop_wishes(wished.set), _shown(arguments) as monitor, DashboardServer(monitor, arguments.port) as server:
        write_line(f"dashboard of {arguments.source}: {server.url}")
        write_line("whoever has this address can see it, and answer its alerts; Ctrl-C to stop")
        wished.wait()
    write_line("stopped")
    return OK


def _shown(arguments: argparse.Namespace) -> Monitor:
    source: Path = arguments.source
    if source.is_file():
        monitor = aiops_nb.watch(config=source)
        listening(monitor)
        return monitor
    return aiops_nb.follow(source, trust=arguments.trust)

"""`aiops-nb replay`: a recording through the same code as live."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import aiops_nb
from aiops_nb.cli.commands.report import add_trust_argument
from aiops_nb.cli.commands.watch import add_output_arguments
from aiops_nb.cli.follow import WarningPrinter, follow, summarise
from aiops_nb.cli.output import ChangePrinter, ChangeQueue, PrintingSink, StatusLine
from aiops_nb.cli.process import ALERTED, OK, code_of, stop_wishes
from aiops_nb.cli.tally import ReplayProgress, Tally
from aiops_nb.core.protocols import Sink
from aiops_nb.session.recording import Recording

SUMMARY = "replay a recording; produces byte-identical alerts"
EXAMPLE = "aiops-nb replay recordings/today --speed 10"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("recording", type=Path, metavar="RECORDING", help="folder of a recording")
    command.add_argument("--speed", type=speed, metavar="N", help="N times real time (default: as fast as possible)")
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="use this configuration instead of the recorded one"
    )
    add_trust_argument(command)
    add_output_arguments(command)


def speed(text: str) -> float:
    """Read a speed.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not a number greater than 0.

    Examples
    --------
    >>> speed("10"), speed("0.5x")
    (10.0, 0.5)
    """
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number > 0, got {text!r}")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Replay all of it, or until it is interrupted."""
    status = StatusLine(None if arguments.json else sys.stderr)
    printer = ChangePrinter(as_json=arguments.json, status=status)
    recording = aiops_nb.open_recording(arguments.recording, trust=arguments.trust)
    code = (_paced if arguments.speed else _at_once)(arguments, recording, printer) or code_of(recording)
    return code or (ALERTED if arguments.fail_on_alert and printer.fired else OK)


def _at_once(arguments: argparse.Namespace, recording: Recording, printer: ChangePrinter) -> int:
    # In the main thread: a signal ends it where it is, and there is nothing to put in order.
    tally, progress = Tally(), ReplayProgress(printer.status, recording.reader.time_range_ns)
    sinks: list[Sink] = [PrintingSink(printer), tally, progress]
    monitor = aiops_nb.replay(recording, config=arguments.config, sinks=sinks, progress=False)
    summarise(monitor, printer, tally)
    return OK


def _paced(arguments: argparse.Namespace, recording: Recording, printer: ChangePrinter) -> int:
    changes, tally = ChangeQueue(), Tally()
    warnings = WarningPrinter(as_json=arguments.json)
    with stop_wishes(changes.wake) as wish:
        monitor = aiops_nb.replay(recording, speed=arguments.speed, config=arguments.config, sinks=[changes, tally])
        follow(monitor, changes, printer, wish, warnings=warnings)
    summarise(monitor, printer, tally, warnings=warnings)
    return wish.exit_code

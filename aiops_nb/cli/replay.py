"""`aiops-nb replay`: a recording through the same code as live."""

from __future__ import annotations

import argparse
from pathlib import Path

import aiops_nb
from aiops_nb.cli.follow import follow, summarise
from aiops_nb.cli.output import ChangePrinter, ChangeQueue, PrintingSink
from aiops_nb.cli.process import ALERTED, OK, code_of, stop_wishes
from aiops_nb.cli.watch import add_output_arguments
from aiops_nb.session.recording import Recording

SUMMARY = "play a recording through the same code; the same alerts come, to the byte"
EXAMPLE = "aiops-nb replay recordings/today --speed 10"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("recording", type=Path, metavar="RECORDING", help="folder of a recording")
    command.add_argument("--speed", type=speed, metavar="N", help="N times real time (default: as fast as it goes)")
    command.add_argument("--config", type=Path, metavar="FILE", help="judge by this YAML instead of the recorded one")
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
    """Replay all of it, or until somebody ends it."""
    printer, recording = ChangePrinter(as_json=arguments.json), aiops_nb.open_recording(arguments.recording)
    code = (_paced if arguments.speed else _at_once)(arguments, recording, printer) or code_of(recording)
    return code or (ALERTED if arguments.fail_on_alert and printer.fired else OK)


def _at_once(arguments: argparse.Namespace, recording: Recording, printer: ChangePrinter) -> int:
    # In the main thread: a signal ends it where it is, and there is nothing to put in order.
    monitor = aiops_nb.replay(recording, config=arguments.config, sinks=[PrintingSink(printer)])
    summarise(monitor, printer)
    return OK


def _paced(arguments: argparse.Namespace, recording: Recording, printer: ChangePrinter) -> int:
    changes = ChangeQueue()
    with stop_wishes(changes.wake) as wish:
        monitor = aiops_nb.replay(recording, speed=arguments.speed, config=arguments.config, sinks=[changes])
        follow(monitor, changes, printer, wish)
    summarise(monitor, printer)
    return wish.exit_code

"""`aiops-nb ack`: acknowledge an alert of a running monitor."""

from __future__ import annotations

import argparse

from aiops_nb.cli.control import add_author, add_monitor_arguments, asked, author_of
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK
from aiops_nb.core.quantities import printable

SUMMARY = "acknowledge an alert of a running monitor, so that nobody is reminded of it"
EXAMPLE = "aiops-nb ack http_5xx --note 'rolling back'"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("alert", metavar="ALERT", help="its fingerprint, or its name (the newest of that name)")
    command.add_argument("--note", default="", metavar="TEXT", help="shown with the alert")
    command.add_argument("--undo", action="store_true", help="take the acknowledgement back")
    add_author(command)
    add_monitor_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Acknowledge; 0 if the monitor took it."""
    from aiops_nb.monitor.answering.control import Ack

    author = author_of(arguments)
    asked(arguments, Ack(alert=arguments.alert, note=arguments.note, author=author, undo=arguments.undo))
    done = "acknowledgement taken back" if arguments.undo else f"acknowledged by {author}"
    write_line(printable(f"{arguments.alert}: {done}"))
    return OK

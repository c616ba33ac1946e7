"""`aiops-nb comment`: note something about an alert of a running monitor."""

from __future__ import annotations

import argparse

from aiops_nb.cli.control import add_author, add_monitor_arguments, asked, author_of
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK
from aiops_nb.core.quantities import printable

SUMMARY = "comment on an alert of a running monitor"
EXAMPLE = "aiops-nb comment http_5xx 'disk replaced at 14:10'"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("alert", metavar="ALERT", help="its fingerprint, or its name (the newest of that name)")
    command.add_argument("text", metavar="TEXT", help="what to note")
    add_author(command)
    add_monitor_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Comment; 0 if the monitor took it."""
    from aiops_nb.monitor.answering.control import Say

    asked(arguments, Say(alert=arguments.alert, text=arguments.text, author=author_of(arguments)))
    write_line(printable(f"{arguments.alert}: noted"))
    return OK

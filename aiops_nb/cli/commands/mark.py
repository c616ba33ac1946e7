"""`aiops-nb mark`: note a deployment, or anything else that was done, in the stream of a running monitor."""

from __future__ import annotations

import argparse

from aiops_nb.cli.control import add_author, add_monitor_arguments, asked, author_of
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK
from aiops_nb.core.quantities import printable

SUMMARY = "mark a deployment or another change in a running monitor"
EXAMPLE = "aiops-nb mark 'deploy v42' --target shop"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("text", metavar="TEXT", nargs="?", default="", help="what was done")
    command.add_argument("--target", metavar="NAME", help="the target that it was done to (default: all)")
    command.add_argument("--at", metavar="TIME", help="when, RFC 3339 or -5m (default: now)")
    command.add_argument("--undo", metavar="ID", default="", help="take this mark back")
    add_author(command)
    add_monitor_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Mark, and print the id of the mark; 0 if the monitor took it."""
    from aiops_nb.monitor.answering.control import SetMark

    author = author_of(arguments)
    if arguments.undo:
        asked(arguments, SetMark(id=arguments.undo, author=author))
        write_line(printable(f"{arguments.undo}: taken back"))
        return OK
    mark = SetMark(text=arguments.text, target=arguments.target, at=arguments.at, author=author)
    write_line(printable(str(asked(arguments, mark))))
    return OK

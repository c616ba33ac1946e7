"""Arguments of the command line. Each command's module adds its own; other rooms are imported only when it runs."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from aiops_nb._version import __version__
from aiops_nb.cli.arguments import add_command
from aiops_nb.cli.commands import (
    ack,
    alerts,
    check,
    comment,
    completion,
    demo_service,
    export,
    lab,
    mark,
    notify,
    replay,
    report,
    schedule,
    serve,
    silence,
    verify,
    watch,
)

TIMES = ("--start", "--end")
RELATIVE = re.compile(r"-\d")
COMMANDS = {
    "lab": lab,
    "watch": watch,
    "serve": serve,
    "check": check,
    "replay": replay,
    "export": export,
    "report": report,
    "verify": verify,
    "schedule": schedule,
    "notify": notify,
    "alerts": alerts,
    "ack": ack,
    "comment": comment,
    "mark": mark,
    "silence": silence,
    "demo-service": demo_service,
    "completion": completion,
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line.

    Examples
    --------
    >>> arguments = build_parser().parse_args(["watch", "http://127.0.0.1:8765/", "--for", "30s"])
    >>> arguments.targets, arguments.for_seconds
    (['http://127.0.0.1:8765/'], 30.0)
    """
    parser = argparse.ArgumentParser(
        prog="aiops-nb",
        description="Watch services live, record everything, replay it through the same code.",
        epilog="Each command's --help shows an example. Tab completion: see aiops-nb completion --help.\n"
        "Exit codes: 0 done, 1 mistake, 2 usage, 3 alerts fired (with --fail-on-alert), 130 interrupted,\n"
        "143 terminated.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aiops-nb {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = add_command(commands, name, module.SUMMARY, module.EXAMPLE, module.run)
        module.add_arguments(command)
        _add_logging(command)
    return parser


def parsed(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments of a command line; `--start -24h` is read as `--start=-24h`, which argparse takes for an option.

    Examples
    --------
    >>> parsed(["export", "recordings/today", "--start", "-24h"]).start
    '-24h'
    """
    return build_parser().parse_args(with_values(sys.argv[1:] if argv is None else argv))


def with_values(argv: Sequence[str]) -> list[str]:
    """The same with each duration that begins with a minus sign tied to its option."""
    tied: list[str] = []
    for argument in argv:
        if tied and tied[-1] in TIMES and RELATIVE.match(argument):
            tied[-1] = f"{tied[-1]}={argument}"
        else:
            tied.append(argument)
    return tied


def _add_logging(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("logging (to the error stream)")
    group.add_argument("-v", "--verbose", action="count", default=0, help="verbose; repeat for debug output")
    group.add_argument("--log-file", type=Path, metavar="FILE", help="also append the log to this file")

"""What the command line accepts. Each command's module adds its own arguments; rooms are imported only when run."""

from __future__ import annotations

import argparse
from pathlib import Path

from aiops_nb._version import __version__
from aiops_nb.cli import check, demo_service, export, lab, notify, replay, report, watch
from aiops_nb.cli.arguments import add_command

COMMANDS = {
    "lab": lab,
    "watch": watch,
    "check": check,
    "replay": replay,
    "export": export,
    "report": report,
    "notify": notify,
    "demo-service": demo_service,
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
        epilog="Each command's --help shows an example. Exit codes: 0 done, 1 mistake, 2 usage, 3 alerts fired (with\n"
        "--fail-on-alert), 130 interrupted, 143 terminated.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aiops-nb {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = add_command(commands, name, module.SUMMARY, module.EXAMPLE, module.run)
        module.add_arguments(command)
        _add_logging(command)
    return parser


def _add_logging(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("logging (to the error stream)")
    group.add_argument("-v", "--verbose", action="count", default=0, help="also infos; twice: everything")
    group.add_argument("--log-file", type=Path, metavar="FILE", help="append the log to a file as well")

"""Commands against a running monitor: which one is meant, and how to reach it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops_nb.core.errors import AiopsError

if TYPE_CHECKING:
    from aiops_nb.monitor.answering.control import Request


def add_monitor_arguments(command: argparse.ArgumentParser) -> None:
    """Declare how the monitor is chosen."""
    command.add_argument(
        "--record", type=Path, metavar="DIR", help="the monitor that records there (needed if several run)"
    )
    command.add_argument("--socket", type=Path, metavar="FILE", help="the monitor with this socket")


def add_author(command: argparse.ArgumentParser) -> None:
    """Declare who answers."""
    command.add_argument("--author", metavar="NAME", help="who answers (default: your user name)")


def author_of(arguments: argparse.Namespace) -> str:
    """Who answers: the user of this process, which may be another than the monitor's."""
    from aiops_nb.monitor.answering.choices import author_or_user

    return author_or_user(arguments.author)


def asked(arguments: argparse.Namespace, request: Request) -> Any:
    """Ask the chosen monitor.

    Raises
    ------
    AiopsError
        If there is none, there are several, or it refuses.
    """
    from aiops_nb.monitor.answering.control import ask

    path = _socket(arguments)
    try:
        return ask(path, request)
    except OSError as problem:
        raise AiopsError(f"{path}: no monitor answers ({problem.strerror or problem})") from None


def _socket(arguments: argparse.Namespace) -> Path:
    from aiops_nb.monitor.answering.control import running_monitors

    if arguments.socket is not None:
        chosen: Path = arguments.socket
        return chosen
    found = dict(running_monitors())
    if arguments.record is not None:
        wanted = str(arguments.record.resolve())
        found = {path: said for path, said in found.items() if said["recording"] == wanted}
    if len(found) == 1:
        return next(iter(found))
    if not found:
        what = f" that records to {arguments.record}" if arguments.record is not None else ""
        raise AiopsError(f"no running monitor{what}; start one with aiops-nb watch, or monitor.listen() in a notebook")
    listed = "; ".join(f"--socket {path} ({said['recording'] or 'not recorded'})" for path, said in found.items())
    raise AiopsError(f"{len(found)} monitors are running, choose one: {listed}")

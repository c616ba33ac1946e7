"""A command whose --help ends with an example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiops_nb.core.quantities import parse_duration

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(
    commands: Commands, name: str, summary: str, example: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add one command; `run` takes the parsed arguments and returns the exit code."""
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def duration_seconds(text: str) -> float:
    """Read a duration; a bare number is seconds.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not a duration greater than 0: argparse makes a usage error of it.

    Examples
    --------
    >>> duration_seconds("5m"), duration_seconds("500ms"), duration_seconds("1.5")
    (300.0, 0.5, 1.5)
    """
    seconds = parse_duration(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"expected a duration > 0 such as 500ms, 30s, 5m or 2h, got {text!r}")
    return seconds

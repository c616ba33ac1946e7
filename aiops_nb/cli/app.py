"""Entry point of the command line: exit codes, logging, and one line for a user's mistake."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from aiops_nb.cli.output import StdoutClosed
from aiops_nb.cli.parser import parsed
from aiops_nb.cli.process import INTERRUPTED, MISTAKE, OK, logging_to
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.quantities import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 a mistake or an input that cannot be read, 2 wrong usage, 3 alerts fired and `--fail-on-alert` was
        given, 130 interrupted, 143 terminated.
    """
    try:
        return _run(parsed(argv))
    except SystemExit as end:  # argparse, and JupyterLab, have said why already
        return end.code if isinstance(end.code, int) else MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, StdoutClosed):
        return _stdout_closed()
    except (AiopsError, OSError) as problem:
        print(f"aiops-nb: {one_line(problem)}", file=sys.stderr)
        return MISTAKE


def _run(arguments: argparse.Namespace) -> int:
    with logging_to(arguments.verbose, arguments.log_file):
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    return code


def one_line(problem: BaseException) -> str:
    """What went wrong, without line breaks.

    Examples
    --------
    >>> one_line(AiopsError("config.yaml: expected a list,  got 3"))
    'config.yaml: expected a list, got 3'
    """
    return printable(" ".join(str(problem).split())) or type(problem).__name__


def _stdout_closed() -> int:
    # `aiops-nb watch --json | head -1` is no mistake; the interpreter must not flush into the closed pipe at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK

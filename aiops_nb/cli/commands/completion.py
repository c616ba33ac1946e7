"""`aiops-nb completion`: a script that completes commands, options and files in the shell."""

from __future__ import annotations

import argparse
import sys

from aiops_nb.cli.process import OK

SUMMARY = "print a shell script that completes commands, options and files on Tab"
EXAMPLE = "aiops-nb completion bash > ~/.local/share/bash-completion/completions/aiops-nb"
SHELLS = ("bash", "zsh", "tcsh")
_FILES = {"config", "recording", "log_file", "out", "record", "dir", "labels"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("shell", choices=SHELLS, help="bash, zsh or tcsh")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    sys.stdout.write(script(arguments.shell))
    return OK


def script(shell: str) -> str:
    """The script for a shell, made of the parser, so that it has every command and option."""
    import shtab

    from aiops_nb.cli.parser import build_parser

    parser = build_parser()
    for command in _commands(parser):
        for action in command._actions:
            if action.dest in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    text: str = shtab.complete(parser, shell=shell)
    return text


def _commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [command for group in groups for command in group.choices.values()]

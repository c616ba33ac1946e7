"""`aiops-nb silence`: silence alerts of a running monitor, list silences, end one."""

from __future__ import annotations

import argparse
from typing import Any

from aiops_nb.cli.control import add_author, add_monitor_arguments, asked, author_of
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.quantities import printable

SUMMARY = "silence alerts of a running monitor for a time; without matchers, list the silences"
EXAMPLE = """aiops-nb silence 'severity="warning"' 'target=~"api.*"' --for 2h --reason deployment"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("matchers", nargs="*", metavar="MATCHER", help="in Alertmanager's syntax; all must hold")
    command.add_argument("--alert", metavar="ALERT", help="snooze this one alert instead: a fingerprint or a name")
    command.add_argument("--for", dest="duration", metavar="TIME", help="how long, e.g. 2h")
    command.add_argument("--start", metavar="WHEN", help="when it begins (default: now)")
    command.add_argument("--end", metavar="WHEN", help="when it ends, instead of --for")
    command.add_argument("--reason", default="", metavar="TEXT", help="why")
    command.add_argument("--expire", metavar="ID", help="end the silence with this id")
    add_author(command)
    add_monitor_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Silence, list or end; 0 if the monitor took it."""
    from aiops_nb.monitor.answering.control import EndQuiet, Quiet, SilenceList

    if arguments.expire is not None:
        asked(arguments, EndQuiet(id=arguments.expire, author=author_of(arguments)))
        write_line(printable(f"{arguments.expire}: ended"))
        return OK
    if not arguments.matchers and arguments.alert is None:
        _list(asked(arguments, SilenceList()))
        return OK
    if arguments.matchers and arguments.alert is not None:
        raise ConfigError("silence: expected either matchers or --alert, got both")
    request = Quiet(
        alert=arguments.alert or "",
        matchers=tuple(arguments.matchers),
        duration=arguments.duration,
        start=arguments.start,
        end=arguments.end,
        author=author_of(arguments),
        reason=arguments.reason,
    )
    write_line(printable(str(asked(arguments, request))))
    return OK


def _list(silences: list[dict[str, Any]]) -> None:
    if not silences:
        write_line("no silences")
    for one in silences:
        about = one["matchers"] or f"alert {one['fingerprint']}"
        until = f"until {one['ends_at']}"
        write_line(printable(f"{one['id']}  {one['state']:<8}  {until}  {about}  {one['author']}: {one['reason']}"))

"""`aiops-nb notify --test`: one test message through each channel of a configuration."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import MISTAKE, OK
from aiops_nb.core.errors import AiopsError, ConfigError

if TYPE_CHECKING:
    from aiops_nb.notify.params import ChannelParams, NotifyParams, Route
    from aiops_nb.notify.templates import Texts

SUMMARY = "send a test message through each channel of a configuration, or show where alerts would go"
EXAMPLE = "aiops-nb notify --test config.yaml"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("config", type=Path, metavar="FILE", help="YAML configuration file with a notify section")
    command.add_argument("--test", action="store_true", help="send; without it, only show the channels and routes")
    command.add_argument("--channel", action="append", metavar="NAME", help="only this channel; may be repeated")


def run(arguments: argparse.Namespace) -> int:
    """Show, and with `--test` send; 0 if every message was accepted, else 1."""
    from aiops_nb.config import load_config
    from aiops_nb.notify.templates import Texts

    params = load_config(arguments.config).notify
    if params is None or not params.channels:
        raise ConfigError(f"{arguments.config}: expected notify.channels, got none")
    channels = _chosen(params, arguments.channel)
    texts = Texts(params.messages)  # templates are checked also where nothing is sent
    if not arguments.test:
        _show(params, channels)
        return OK
    results = [_sent(channel, texts) for channel in channels]
    return OK if all(results) else MISTAKE


def _chosen(params: NotifyParams, names: list[str] | None) -> list[ChannelParams]:
    from aiops_nb.core.errors import unknown

    known = {channel.name: channel for channel in params.channels}
    for name in names or ():
        if name not in known:
            raise unknown("--channel", "the name of a channel", name, known)
    return [channel for name, channel in known.items() if not names or name in names]


def _show(params: NotifyParams, channels: list[ChannelParams]) -> None:
    from aiops_nb.notify.params import shown

    for channel in channels:
        write_line(f"channel  {shown(channel)}")
    for number, route in enumerate(params.routes):
        matchers = ", ".join(map(str, route.parsed_matchers)) or "every alert"
        write_line(f"route    {matchers} -> {_destination(params.configured_route(number))}")
    default = _destination(params.configured_route(None))
    write_line(f"default  severity {params.min_severity} or higher -> {default}")


def _destination(route: Route) -> str:
    """Channels, and how their notifications are grouped and repeated."""
    from aiops_nb.core.quantities import exact_duration
    from aiops_nb.notify.params import EACH_ALERT

    if not route.channels:
        return "nobody"
    grouped = "each alert" if EACH_ALERT in route.group_by else f"by {', '.join(route.group_by) or 'nothing: all'}"
    wait, interval = exact_duration(route.group_wait_seconds), exact_duration(route.group_interval_seconds)
    repeat = route.repeat_interval_seconds
    again = "never repeated" if repeat is None else f"repeated every {exact_duration(repeat)}"
    return f"{', '.join(route.channels)} ({grouped}, after {wait}, then at most every {interval}; {again})"


def _sent(channel: ChannelParams, texts: Texts) -> bool:
    """A firing and its resolve: channels that keep incidents are left without an open one."""
    from aiops_nb.notify.message import Message
    from aiops_nb.notify.params import shown
    from aiops_nb.notify.registry import make_notifier

    now_ns = time.time_ns()
    labels = {"alertname": "notification_test", "severity": "warning", "target": "aiops-nb", "detector": "notify"}
    firing = Message(
        kind="firing",
        fingerprint="notification-test",
        episode_ns=now_ns,
        labels=labels,
        summary="This is a test message; nothing is wrong.",
        starts_at_ns=now_ns,
    )
    try:
        notifier = make_notifier(channel)
        if hasattr(notifier, "texts"):
            notifier.texts = texts
        try:
            external_ids = notifier.send([firing])
            fields = {name: getattr(firing, name) for name in firing.__struct_fields__}
            ended = {"kind": "resolved", "ends_at_ns": now_ns, "external_id": external_ids.get(firing.fingerprint, "")}
            notifier.send([Message(**(fields | ended))])
        finally:
            notifier.close()
    except AiopsError as problem:
        write_line(f"{shown(channel)}: failed: {problem}")
        return False
    write_line(f"{shown(channel)}: accepted a firing and a resolved message")
    return True

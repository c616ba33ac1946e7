"""What would run, in lines for people; whatever rules and collectors there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from aiops_nb.cli.told import told, usual
from aiops_nb.collect.probe_target import ProbeTarget
from aiops_nb.core.durations import duration_text
from aiops_nb.core.urls import mask_url
from aiops_nb.plan import Plan

_SAID = ("url", "name", "method", "interval_seconds", "timeout_seconds", "body")


def plan_lines(plan: Plan) -> Iterator[str]:
    """Targets, collectors, this host, the recording, and each part of the pipeline."""
    every_seconds = plan.config.interval_seconds
    yield from _section("targets", [_target(name, probe, every_seconds) for name, probe in plan.probes.items()])
    yield from _section("collectors", [_collector(params) for params in plan.config.collectors])
    yield from _section("this host", [] if plan.host is None else [_host(plan.host.interval_seconds or every_seconds)])
    yield from _section("recording", [plan.config.record] if plan.config.record else [])
    if isinstance(plan.config.history, str):
        yield from _section("history of objectives", [plan.config.history])
    pipeline = plan.config.pipeline
    for name in pipeline.__struct_fields__:
        part = getattr(pipeline, name)
        listed = [_rule(one) for one in part] if isinstance(part, tuple) else [told(part)]
        yield from _section(name.replace("_", " "), listed)


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield title if lines else f"{title}: none"
    yield from (f"  {line}" for line in lines)


def _target(name: str, probe: ProbeTarget, every_seconds: float) -> str:
    interval, timeout = probe.interval_at(every_seconds), probe.timeout_for(every_seconds)
    url, options = mask_url(probe.url), told(probe, without=(*_SAID, *usual(probe)))
    what = probe.method if url == name else f"{probe.method} {url}"
    pace = f"every {duration_text(interval)}, timeout {duration_text(timeout)}"
    return f"{name}: {what}, {pace}{f'; {options}' if options else ''}"


def _collector(params: msgspec.Struct) -> str:
    options = told(params, without=("name", "say", *usual(params)))
    tag, name = params.__struct_config__.tag, getattr(params, "name", "")
    return f"{name}: {tag}{f', {options}' if options else ''}"


def _host(interval_seconds: float) -> str:
    return f"every {duration_text(interval_seconds)}"


def _rule(rule: msgspec.Struct) -> str:
    name, severity = getattr(rule, "alertname", ""), getattr(rule, "severity", "")
    return f"{name:<24} {severity:<9} {told(rule, without=('alertname', 'severity'))}".strip()

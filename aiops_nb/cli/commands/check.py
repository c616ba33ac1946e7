"""`aiops-nb check`: whether a configuration is valid, and what it would run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from aiops_nb import kernel
from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import OK, USAGE
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.quantities import format_count
from aiops_nb.core.urls import mask_url

if TYPE_CHECKING:
    from aiops_nb.collect.http.target import ProbeTarget
    from aiops_nb.session.plan import Plan

SUMMARY = "validate a configuration and show what it would run; makes no network connection"
EXAMPLE = "aiops-nb check config.yaml"
_MASKS: dict[str, Callable[[Any], Any]] = {"url": mask_url, "headers": list}
_UNSHOWN = ("body", "say")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "config", type=Path, nargs="?", metavar="FILE", help="YAML configuration file, as for watch --config"
    )
    what.add_argument("--example", action="store_true", help="print an annotated file with every option")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Check it; 0 if it would run, else 2."""
    if arguments.example:
        sys.stdout.write(example_text())
        return OK
    from aiops_nb.session.plan import plan_run

    try:
        plan = plan_run((), arguments.config)
    except AiopsError as problem:
        return _refuse(arguments, problem)
    if arguments.json:
        write_line(
            _json({"config": str(arguments.config), "ok": True, "warnings": plan.missing_files, **as_data(plan)})
        )
        return OK
    from aiops_nb.cli.plan_text import plan_lines

    for line in plan_lines(plan):
        write_line(line)
    missing = plan.missing_files
    for warning in missing:
        print(f"aiops-nb: {warning}", file=sys.stderr)
    write_line(f"{arguments.config}: OK" + (f", {format_count(len(missing), 'warning')}" if missing else ""))
    return OK


def example_text() -> str:
    """The annotated configuration with every option."""
    return files("aiops_nb.config").joinpath("example.yaml").read_text(encoding="utf-8")


def _refuse(arguments: argparse.Namespace, problem: AiopsError) -> int:
    text = " ".join(str(problem).split())
    if arguments.json:
        write_line(_json({"config": str(arguments.config), "ok": False, "error": text}))
    else:
        print(f"aiops-nb: {text}", file=sys.stderr)
    return USAGE


def _json(record: dict[str, Any]) -> str:
    return msgspec.json.encode(record).decode()


def as_data(plan: Plan) -> dict[str, Any]:
    """What would run, for JSON: URLs masked, headers by name only, bodies that are sent left out."""
    interval_seconds, host = plan.config.interval_seconds, plan.host
    return {
        "targets": [_target(name, probe, interval_seconds) for name, probe in plan.probes.items()],
        "collectors": [_shown(params) for params in plan.config.collectors],
        "host_metrics": None if host is None else {"interval_seconds": host.interval_seconds or interval_seconds},
        "record": plan.config.record,
        "history": plan.config.history,
        "kernel": kernel.status(),
        "pipeline": msgspec.to_builtins(plan.config.pipeline),
    }


def _target(name: str, probe: ProbeTarget, interval_seconds: float) -> dict[str, Any]:
    pace = {
        "interval_seconds": probe.interval_at(interval_seconds),
        "timeout_seconds": probe.timeout_for(interval_seconds),
    }
    return {**_shown(probe), "name": name, **pace}


def _shown(params: msgspec.Struct) -> dict[str, Any]:
    shown = {**msgspec.to_builtins(params)}
    for name, mask in _MASKS.items():
        if shown.get(name) is not None:
            shown[name] = mask(shown[name])
    return {name: value for name, value in shown.items() if name not in _UNSHOWN}

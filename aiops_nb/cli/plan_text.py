"""Parameters in words: how `aiops-nb check` prints rules, windows and collectors, whatever fields they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from aiops_nb import kernel
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.core.quantities import exact_duration, exact_ratio, readable_name
from aiops_nb.core.urls import mask_url
from aiops_nb.session.plan import Plan

THRESHOLD_UNITS = {"robust_z": "deviations", "level": "times its limit"}
DEFAULT_UNIT = "of 100"
UNITS = {"_bytes": "bytes", "_hz": "/s", "_ticks": "windows", "_rows": "rows"}


def in_words(params: msgspec.Struct, *, without: tuple[str, ...] = ()) -> str:
    """Parameters with units; what is empty or unknown is left out, and so are a detector's defaults.

    Examples
    --------
    >>> from aiops_nb.engine.params import PipelineParams
    >>> rules = PipelineParams()
    >>> in_words(rules.row_rules[0], without=("alertname", "severity"))
    'condition status_5xx, for 3 rows, max chance alerts per day 0.1, keep firing for 10 s, close after 15 min'
    >>> print(in_words(rules.feature_rules[0], without=("alertname", "severity", "clean")))  # doctest: +ELLIPSIS
    table requests, feature p95 latency, threshold 6 deviations, ... close after 15 min, detector robust_z ...
    """
    said = [_field(params, name) for name in params.__struct_fields__ if name not in without]
    return ", ".join(part for part in said if part)


def defaults(params: msgspec.Struct) -> tuple[str, ...]:
    """The fields that have their default.

    Examples
    --------
    >>> from aiops_nb.features.params import WindowParams
    >>> "tick_seconds" in defaults(WindowParams(tick_seconds=2)), "idle_seconds" in defaults(WindowParams())
    (False, True)
    """
    fields = msgspec.structs.fields(params)
    return tuple(field.name for field in fields if getattr(params, field.name) == _default(field))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory is not msgspec.NODEFAULT
    return field.default_factory() if made else field.default


def _field(params: msgspec.Struct, name: str) -> str:
    value = getattr(params, name)
    if value is None or value is False or value in ("", (), {}, []):
        return ""
    if name == "threshold":
        return f"threshold {value:g}{_threshold_unit(params)}"
    if name == "feature":
        return f"feature {readable_name(value)}"
    if name == "headers":
        return f"headers {', '.join(value)}"
    if isinstance(value, msgspec.Struct):
        return _struct(name, value)
    return _plain(name, value)


def _threshold_unit(params: msgspec.Struct) -> str:
    detector = getattr(params, "detector", None)
    if detector is None:
        return ""
    return f" {THRESHOLD_UNITS.get(str(detector.__struct_config__.tag), DEFAULT_UNIT)}"


def _struct(name: str, value: msgspec.Struct) -> str:
    tag = value.__struct_config__.tag
    if tag is None:
        return in_words(value)
    options = in_words(value, without=defaults(value))
    return f"{_words(name)} {tag}{f' ({options})' if options else ''}"


def _plain(name: str, value: Any) -> str:
    words = _words(name)
    if value is True:
        return words
    if isinstance(value, (int, float)):
        return _number(name, words, value)
    return f"{words} {_text(value)}"


def _number(name: str, words: str, value: float) -> str:
    if name.endswith("_seconds"):
        return f"{words} {exact_duration(value)}"
    if name.endswith("_ratio"):
        return f"{words} {exact_ratio(value)}"
    unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")
    return f"{words} {value:.12g} {unit}".rstrip()


def _words(name: str) -> str:
    for ending in ("_seconds", "_ratio", *UNITS):
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, msgspec.Struct):
        tag, said = value.__struct_config__.tag, in_words(value)
        return f"{tag} ({said})" if tag else f"({said})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_text(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return " / ".join(_text(one) for one in value)
    return mask_url(str(value)) if "://" in str(value) else str(value)


_SAID = ("url", "name", "method", "interval_seconds", "timeout_seconds", "body")


def plan_lines(plan: Plan) -> Iterator[str]:
    """Targets, collectors, this host, the recording, and each part of the pipeline."""
    interval_seconds = plan.config.interval_seconds
    yield from _section("targets", [_target(name, probe, interval_seconds) for name, probe in plan.probes.items()])
    yield from _section("collectors", [_collector(params) for params in plan.config.collectors])
    yield from _section(
        "this host", [] if plan.host is None else [_host(plan.host.interval_seconds or interval_seconds)]
    )
    yield from _section("recording", [plan.config.record] if plan.config.record else [])
    if isinstance(plan.config.history, str):
        yield from _section("history of objectives", [plan.config.history])
    yield from _section("kernel", [kernel.status()])
    pipeline = plan.config.pipeline
    for name in pipeline.__struct_fields__:
        part = getattr(pipeline, name)
        yield from _section(name.replace("_", " "), _part_lines(part))


def _part_lines(part: Any) -> list[str]:
    if isinstance(part, tuple):
        return [_rule(one) for one in part]
    return [in_words(part)] if isinstance(part, msgspec.Struct) else [str(part)]


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield title if lines else f"{title}: none"
    yield from (f"  {line}" for line in lines)


def _target(name: str, probe: ProbeTarget, interval_seconds: float) -> str:
    interval, timeout = probe.interval_at(interval_seconds), probe.timeout_for(interval_seconds)
    url, options = mask_url(probe.url), in_words(probe, without=(*_SAID, *defaults(probe)))
    what = probe.method if url == name else f"{probe.method} {url}"
    pace = f"every {exact_duration(interval)}, timeout {exact_duration(timeout)}"
    return f"{name}: {what}, {pace}{f'; {options}' if options else ''}"


def _collector(params: msgspec.Struct) -> str:
    options = in_words(params, without=("name", "say", *defaults(params)))
    tag, name = params.__struct_config__.tag, getattr(params, "name", "")
    return f"{name}: {tag}{f', {options}' if options else ''}"


def _host(interval_seconds: float) -> str:
    return f"every {exact_duration(interval_seconds)}"


def _rule(rule: msgspec.Struct) -> str:
    name, severity = getattr(rule, "alertname", ""), getattr(rule, "severity", "")
    return f"{name:<24} {severity:<9} {in_words(rule, without=('alertname', 'severity'))}".strip()

"""What is going to run, known before anything starts: what `watch` starts and `aiops-nb check` prints."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget, ready_targets
from aiops_nb.collect.registry import check_collector, make_collector
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.config import Config, ConfigSource, HostMetricsParams, load_config, located
from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.protocols import Collector
from aiops_nb.core.references import resolved, resolved_text
from aiops_nb.engine.check import check_pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is going to run; its collectors are made as often as the monitor is started.

    Attributes
    ----------
    config
        With what was said elsewhere put in: the interval, the names of the reference targets.
    probes
        All targets by their names, references as they are written.
    makers
        Make the other collectors.
    record
        Directory of the recording, if there is to be one.
    """

    config: Config
    probes: dict[str, ProbeTarget]
    makers: tuple[MakeCollector, ...]
    record: str | None

    @property
    def history(self) -> str | None:
        """The recording that objectives take their history from: the one named, or the one that is continued."""
        history = self.config.history
        if isinstance(history, str):
            return resolved_text(history, "history")
        return self.record if history else None

    @property
    def host(self) -> HostMetricsParams | None:
        """How this host is sampled, if it is."""
        params = self.config.host_metrics
        host = HostMetricsParams() if params is True else params or None
        return None if host is None else resolved(host, "host_metrics")

    @property
    def missing_files(self) -> list[str]:
        """Paths of collectors at which there is no file now, a sentence each: it may come later, or be a typo."""
        return [
            f"collectors[{index}].path: {path}: no such file yet"
            for index, params in enumerate(self.config.collectors)
            if (path := _path_of(params, f"collectors[{index}].path")) is not None and not _is_there(path)
        ]

    def collectors(self) -> list[Collector]:
        """New collectors, for one start."""
        made = [make() for make in self.makers]
        if (host := self.host) is not None:
            interval_seconds = host.interval_seconds or self.config.interval_seconds
            made.insert(0, HostMetrics(interval_seconds=interval_seconds, host_label=host.host_label, disk=host.disk))
        if self.probes:
            made.insert(0, HttpProbe(list(self.probes.values()), interval_seconds=self.config.interval_seconds))
        return made


def _path_of(params: msgspec.Struct, where: str) -> str | None:
    path = getattr(params, "path", None)
    return resolved_text(path, where) if isinstance(path, str) and "://" not in path else None


def _is_there(path: str) -> bool:
    return Path(path).exists() or bool(glob.glob(path, recursive=True))  # noqa: PTH207 - a relative or absolute pattern


def plan_run(
    targets: Target | Sequence[Target] = (),
    source: ConfigSource = None,
    *,
    interval_seconds: float | None = None,
    record: str | None = None,
) -> Plan:
    """What is to run, by a configuration and by arguments; makes no network connection.

    Parameters
    ----------
    targets
        Watched in addition to those of the configuration.
    source
        The configuration: a file, a mapping, a `Config`.
    interval_seconds, record
        In place of what the configuration says, if not None.

    Raises
    ------
    ConfigError
        Naming the place, what was expected and what came; also where a reference cannot be read.
    MissingExtraError
        Where a collector needs one.

    Examples
    --------
    >>> plan = plan_run("http://127.0.0.1/health", {"host_metrics": False, "interval": "5s"})
    >>> list(plan.probes), plan.config.interval_seconds, plan.host, plan.record
    (['http://127.0.0.1/health'], 5.0, None, None)
    """
    config = load_config(source)
    if interval_seconds is not None:
        config = _with_interval(config, interval_seconds)
    further, makers = sorted_out(targets, config)
    try:
        return _planned(config, further, makers, record)
    except ConfigError as problem:
        raise located(problem, source) from None


def _planned(
    config: Config, further: Sequence[ProbeTarget], makers: Sequence[MakeCollector], record: str | None
) -> Plan:
    probes, config = with_references([*config.probes, *further], config)
    check_pipeline(config.pipeline)
    names = ready_targets(probes, config.interval_seconds) if probes else {}
    for index, probe in enumerate(probes):
        _check_headers(f"targets[{index}]", probe)
    config = _with_dependencies(config, dict(zip(names, probes, strict=True)))
    plan = Plan(
        config=config,
        probes=dict(zip(names, probes, strict=True)),
        makers=(*_makers(config), *makers),
        record=_directory(config) if record is None else record,
    )
    if not (plan.probes or plan.makers or plan.host):
        raise ConfigError("targets: expected something to watch: a URL, a collector or this host, got nothing")
    return plan


def _with_dependencies(config: Config, probes: dict[str, ProbeTarget]) -> Config:
    """The pipeline knows by name which targets depend on which others."""
    said = {name: probe.depends_on for name, probe in probes.items() if probe.depends_on}
    if not said:
        return config
    known = [*probes, *config.pipeline.depends_on, *(getattr(one, "name", "") for one in config.collectors)]
    for index, probe in enumerate(probes.values()):
        for place, parent in enumerate(probe.depends_on):
            if parent not in known:
                raise unknown(f"targets[{index}].depends_on[{place}]", "the name of another target", parent, known)
    try:
        pipeline = replace(config.pipeline, depends_on={**config.pipeline.depends_on, **said})
    except ConfigError as problem:
        raise ConfigError(f"targets: {problem}") from None
    return replace(config, pipeline=pipeline)


def _check_headers(where: str, probe: ProbeTarget) -> None:
    try:
        SecretHeaders(probe.headers)
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None


def _makers(config: Config) -> list[MakeCollector]:
    makers: list[MakeCollector] = []
    for index, params in enumerate(config.collectors):
        check_collector(params, f"collectors[{index}]")
        makers.append(partial(make_collector, params, f"collectors[{index}]"))
    return makers


def _directory(config: Config) -> str | None:
    return None if config.record is None else resolved_text(config.record, "record")


def _with_interval(config: Config, interval_seconds: float) -> Config:
    if not isinstance(interval_seconds, (int, float)) or not 0 < interval_seconds < float("inf"):
        raise ConfigError.at("interval_seconds", "a number > 0", interval_seconds)
    return msgspec.structs.replace(config, interval_seconds=float(interval_seconds))


Target: TypeAlias = str | ProbeTarget | Collector | Callable[[], Collector]
MakeCollector: TypeAlias = Callable[[], Collector]


def sorted_out(targets: Target | Sequence[Target], config: Config) -> tuple[list[ProbeTarget], list[MakeCollector]]:
    """What is to be probed, and what makes the other collectors.

    Raises
    ------
    ConfigError
        Naming the target, what was expected and what came.

    Examples
    --------
    >>> probes, makers = sorted_out("http://127.0.0.1/health", Config())
    >>> probes[0].shown_name, makers
    ('http://127.0.0.1/health', [])
    """
    alone = isinstance(targets, (str, ProbeTarget, Collector)) or callable(targets)
    listed = [targets] if alone else targets
    if not isinstance(listed, Iterable):
        raise ConfigError.at("targets", "a URL, a ProbeTarget, a collector, or several", targets)
    probes: list[ProbeTarget] = []
    makers: list[MakeCollector] = []
    for index, target in enumerate(listed):
        if isinstance(target, (str, ProbeTarget)):
            probes.append(_probe_target(f"targets[{index}]", target, config))
        else:
            makers.append(_collector_maker(f"targets[{index}]", target))
    return probes, makers


def with_references(probes: Sequence[ProbeTarget], config: Config) -> tuple[list[ProbeTarget], Config]:
    """The targets and those that only show whether this host is connected; the pipeline knows these by name.

    Examples
    --------
    >>> probes, config = with_references([], Config(connectivity=("http://127.0.0.1/",)))
    >>> probes[0].shown_name, config.pipeline.connectivity.targets
    ('http://127.0.0.1/', ('http://127.0.0.1/',))
    """
    references = [_probe_target(f"connectivity[{i}]", url, config) for i, url in enumerate(config.connectivity)]
    if not references:
        return [*probes], config
    names = tuple(dict.fromkeys(reference.shown_name for reference in references))
    watched = {probe.shown_name for probe in probes}
    connectivity = replace(config.pipeline.connectivity, targets=names)
    pipeline = replace(config.pipeline, connectivity=connectivity)
    fresh = [reference for reference in references if reference.shown_name not in watched]
    return [*probes, *fresh], replace(config, pipeline=pipeline)


def _probe_target(where: str, target: str | ProbeTarget, config: Config) -> ProbeTarget:
    if isinstance(target, ProbeTarget):
        return config.with_timeout(target)
    try:
        return config.with_timeout(ProbeTarget(url=target))
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None


def _collector_maker(where: str, target: object) -> Callable[[], Collector]:
    if isinstance(target, Collector):
        return _OneUse(where, target)
    if callable(target):
        return target
    raise ConfigError.at(where, "a URL, a ProbeTarget or a collector", target)


class _OneUse:
    """Gives its collector once: a closed one cannot be polled again."""

    def __init__(self, where: str, collector: Collector) -> None:
        self._where, self._collector, self._used = where, collector, False

    def __call__(self) -> Collector:
        if self._used:
            expected = "a function that makes the collector, to start again after a stop"
            raise ConfigError(f"{self._where}: expected {expected}, got {self._collector.name!r}, which was closed")
        self._used = True
        return self._collector

"""What a user wants watched: URLs to probe, collectors, and functions that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from aiops_nb.collect.probe_target import ProbeTarget
from aiops_nb.config import Config
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Collector

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
    """The targets with those that only tell whether this host is connected, which the pipeline learns by their names.

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

"""What is going to run, known before anything is touched: what `watch` starts and `aiops-nb check` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.collect.http_probe import HttpProbe
from aiops_nb.collect.params import check_collector, make_collector
from aiops_nb.collect.probe_target import ProbeTarget, ready_targets
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.config import Config, ConfigSource, HostMetricsParams, load_config, located
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.references import resolved, resolved_text
from aiops_nb.rule_check import check_pipeline
from aiops_nb.targets import MakeCollector, Target, sorted_out, with_references


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
        told = self.config.history
        if isinstance(told, str):
            return resolved_text(told, "history")
        return self.record if told else None

    @property
    def host(self) -> HostMetricsParams | None:
        """How this host is sampled, if it is."""
        told = self.config.host_metrics
        host = HostMetricsParams() if told is True else told or None
        return None if host is None else resolved(host, "host_metrics")

    def collectors(self) -> list[Collector]:
        """All collectors, made anew."""
        made = [make() for make in self.makers]
        if (host := self.host) is not None:
            every_seconds = host.interval_seconds or self.config.interval_seconds
            made.insert(0, HostMetrics(every_seconds=every_seconds, host=host.host, disk=host.disk))
        if self.probes:
            made.insert(0, HttpProbe(list(self.probes.values()), every_seconds=self.config.interval_seconds))
        return made


def plan_run(
    targets: Target | Sequence[Target] = (),
    source: ConfigSource = None,
    *,
    every_seconds: float | None = None,
    record: str | None = None,
) -> Plan:
    """What is to run, by a configuration and by what is named beside it; touches no network.

    Parameters
    ----------
    targets
        Watched beside those of the configuration.
    source
        The configuration: a file, a mapping, a `Config`.
    every_seconds, record
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
    if every_seconds is not None:
        config = _with_interval(config, every_seconds)
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
    plan = Plan(
        config=config,
        probes=dict(zip(names, probes, strict=True)),
        makers=(*_makers(config), *makers),
        record=_directory(config) if record is None else record,
    )
    if not (plan.probes or plan.makers or plan.host):
        raise ConfigError("targets: expected something to watch: a URL, a collector or this host, got nothing")
    return plan


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


def _with_interval(config: Config, every_seconds: float) -> Config:
    if not isinstance(every_seconds, (int, float)) or not 0 < every_seconds < float("inf"):
        raise ConfigError.at("every_seconds", "a number > 0", every_seconds)
    return msgspec.structs.replace(config, interval_seconds=float(every_seconds))

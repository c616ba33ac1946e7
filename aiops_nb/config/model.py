"""What a configuration can say."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from aiops_nb.collect.http.target import ProbeTarget, check_targets
from aiops_nb.collect.params import BuiltInParams
from aiops_nb.collect.secrets import refuse_literal_secrets
from aiops_nb.core.errors import ConfigError
from aiops_nb.engine.params import PipelineParams
from aiops_nb.notify.answer_links import AnswerPageParams
from aiops_nb.notify.params import NotifyParams, PingParams

Positive = Annotated[float, Meta(gt=0)]


class HostMetricsParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this host is sampled.

    Attributes
    ----------
    interval_seconds
        How often; None: as often as the targets.
    host_label
        Its name in the tables; None: this machine's name.
    disk
        The file system that `disk_ratio` is of; None: the root.
    """

    interval_seconds: Positive | None = None
    host_label: str | None = None
    disk: str | None = None


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole run: what is watched, how it is judged, where it is recorded.

    Attributes
    ----------
    interval_seconds
        Default polling interval for targets and host metrics.
    timeout_seconds
        Longest wait for an answer, for targets without a timeout of their own; less than the interval. None: 90 % of
        it, at most 10 s.
    targets
        URLs to probe, alone or with their options.
    collectors
        Access logs, sockets, feeds, synthetic traffic and collectors of plug-ins, by their `type`.
    host_metrics
        Whether this host's CPU, memory, disk and network are sampled too, or how.
    self_observation_seconds
        How often the monitor samples itself (rows, lag, queue, rejected lines) as `samples` of the source `aiops_nb`;
        null: never.
    connectivity
        URLs outside of what is watched, such as two well-known sites: when all fail, it is our own network, and one
        alert `observer_offline` replaces those of all targets.
    record
        Directory of the recording; None records nothing.
    derived_tables
        Whether features, scores and alert changes are kept next to the recorded rows (at most 2 GB), so that reading
        them later needs no replay.
    history
        Directory of an earlier recording, whose last three days the rules on objectives begin with. True: the one that
        `record` continues, if it does; False: they begin without history.
    notify
        Who is notified of alerts, and by which channels; None: nobody. A replay never notifies.
    ping
        A URL that is asked from time to time, so that somebody else notices when the monitor is gone; None: none is.
    answer_page
        A page to which messages link, on which an alert is acknowledged, snoozed or silenced; None: there is none.
    pipeline
        Windows, rules and detectors.

    Raises
    ------
    ConfigError
        For values that contradict each other, and for literal secrets.

    Examples
    --------
    >>> config = Config(targets=("http://127.0.0.1/health",), timeout_seconds=0.5)
    >>> config.probes[0].timeout_seconds
    0.5
    """

    interval_seconds: Positive = 1.0
    timeout_seconds: Positive | None = None
    targets: tuple[str | ProbeTarget, ...] = ()
    collectors: tuple[BuiltInParams, ...] = ()  # and those of plug-ins: see `config.plug_ins`
    host_metrics: bool | HostMetricsParams = True
    self_observation_seconds: Positive | None = 5.0
    connectivity: tuple[str, ...] = ()
    record: str | None = None
    derived_tables: bool = True
    history: str | bool = True
    notify: NotifyParams | None = None
    ping: PingParams | None = None
    answer_page: AnswerPageParams | None = None
    pipeline: PipelineParams = field(default_factory=PipelineParams)

    def __post_init__(self) -> None:
        probes = self.probes
        if probes:
            check_targets(probes, self.interval_seconds)
        references = (_probe(f"connectivity[{index}]", url) for index, url in enumerate(self.connectivity))
        for index, probe in enumerate(probes):
            refuse_literal_secrets(probe, f"targets[{index}]")
        for index, probe in enumerate(references):
            refuse_literal_secrets(probe, f"connectivity[{index}]")
        for index, collector in enumerate(self.collectors):
            refuse_literal_secrets(collector, f"collectors[{index}]")
        for index, channel in enumerate(self.notify.channels if self.notify is not None else ()):
            refuse_literal_secrets(channel, f"notify.channels[{index}]")
        if self.ping is not None:
            refuse_literal_secrets(self.ping, "ping")
        self._check_names()

    @property
    def probes(self) -> tuple[ProbeTarget, ...]:
        """All targets, with the timeout that they have or share."""
        listed = enumerate(self.targets)
        return tuple(self.with_timeout(_probe(f"targets[{index}]", target)) for index, target in listed)

    def with_timeout(self, probe: ProbeTarget) -> ProbeTarget:
        """The target with the shared timeout, if it has none of its own.

        Parameters
        ----------
        probe
            A probed target.

        Returns
        -------
        ProbeTarget
            With a timeout.
        """
        if probe.timeout_seconds is not None or self.timeout_seconds is None:
            return probe
        return msgspec.structs.replace(probe, timeout_seconds=self.timeout_seconds)

    def _check_names(self) -> None:
        taken: dict[str, str] = {}
        for index, collector in enumerate(self.collectors):
            where = f"collectors[{index}]"
            if taken.setdefault(collector.name, where) != where:
                raise ConfigError.at(f"{where}.name", f"another than {taken[collector.name]}", collector.name)


def _probe(where: str, target: str | ProbeTarget) -> ProbeTarget:
    try:
        return ProbeTarget(url=target) if isinstance(target, str) else target
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None

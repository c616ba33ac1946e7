"""What `watch` watches, changed while it runs: the plan of the next start, and the run of now."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import msgspec

from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget, ready_targets
from aiops_nb.collect.registry import check_collector, make_collector
from aiops_nb.collect.secrets import refuse_literal_secrets
from aiops_nb.config import Config, dump_config, load_config
from aiops_nb.config.recorded import recordable
from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.urls import mask_url
from aiops_nb.engine.commands import (
    AddTarget,
    PauseTarget,
    RemoveTarget,
    ResumeTarget,
    SetInterval,
    TargetCommand,
    encode_command,
)
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.run import Run
from aiops_nb.monitor.watched import WatchedTarget
from aiops_nb.session.plan import Plan


class WatchedPlan:
    """A plan that changes; what runs is changed with it, and each change is recorded as a command.

    Parameters
    ----------
    plan
        What is watched at first.

    Examples
    --------
    >>> from aiops_nb.session.plan import plan_run
    >>> watched = WatchedPlan(plan_run("http://127.0.0.1/health"))
    >>> watched.add_target("http://127.0.0.1/ready", 5.0)
    'http://127.0.0.1/ready'
    >>> watched.pause_target("http://127.0.0.1/health")
    >>> [(one.name, one.interval_seconds, one.state) for one in watched.targets()]
    [('http://127.0.0.1/health', 1.0, 'paused'), ('http://127.0.0.1/ready', 5.0, 'active')]
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._run: LiveRun | None = None
        self._paused: set[str] = set()
        self._lock = threading.RLock()

    def follow(self, run: Run) -> None:
        """A run has begun with the present plan; targets that were paused stay so."""
        with self._lock:
            self._run = run if isinstance(run, LiveRun) else None
            for name in self._paused:
                self._pause(name)

    @property
    def record(self) -> str | None:
        """Directory of the recording, from the next start on."""
        return self.plan.record

    @record.setter
    def record(self, directory: str | None) -> None:
        """Record there from the next start on; None: no more."""
        self.plan = replace(self.plan, record=directory)

    # ---- targets

    def targets(self) -> list[WatchedTarget]:
        """All targets, in the order in which they were added; references of `connectivity` are among them."""
        default_seconds = self.plan.config.interval_seconds
        return [
            WatchedTarget(
                name=name,
                url=mask_url(probe.url),
                interval_seconds=probe.interval_at(default_seconds),
                state="paused" if name in self._paused else "active",
            )
            for name, probe in self.plan.probes.items()
        ]

    def add_target(self, target: str | ProbeTarget, interval_seconds: float | None = None) -> str:
        """Probe one more URL, from now on; returns its name.

        Raises
        ------
        ConfigError
            As for a target of the configuration: naming the field, what was expected and what came.
        """
        probe = ProbeTarget(url=target) if isinstance(target, str) else target
        if interval_seconds is not None:
            probe = msgspec.structs.replace(probe, interval_seconds=_positive("interval_seconds", interval_seconds))
        with self._lock:
            probe = self._checked(probe)
            if probe in self.plan.probes.values():
                raise ConfigError.at("url", "a target that is not watched yet", probe.shown_name)
            name = self._free_name(probe)
            self._plan_probes({**self.plan.probes, name: probe})
            self._say(AddTarget(target=name, interval_seconds=probe.interval_at(self.plan.config.interval_seconds)))
            self._ask(name, probe)
        return name

    def remove_target(self, name: str) -> None:
        """Probe a target no more: its alerts end, and what was recorded of it stays.

        Raises
        ------
        ConfigError
            If there is no such target.
        """
        with self._lock:
            self._known(name)
            self._paused.discard(name)
            self._plan_probes({one: probe for one, probe in self.plan.probes.items() if one != name})
            if (running := self._probe()) is not None:
                running.remove(name)
            self._say(RemoveTarget(target=name))

    def pause_target(self, name: str) -> None:
        """Probe a target no more until it is resumed; twice is once."""
        with self._lock:
            self._known(name)
            if name not in self._paused:
                self._paused.add(name)
                self._pause(name)

    def resume_target(self, name: str) -> None:
        """Probe a paused target again."""
        with self._lock:
            self._known(name)
            if name in self._paused:
                self._paused.remove(name)
                self._say(ResumeTarget(target=name))
                if (running := self._probe()) is not None:
                    running.resume(name)

    def set_interval(self, name: str, interval_seconds: float) -> None:
        """Probe a target at another interval, from now on.

        Raises
        ------
        ConfigError
            If there is no such target, or the interval is not longer than its timeout.
        """
        with self._lock:
            seconds = _positive("interval_seconds", interval_seconds)
            probe = self._checked(msgspec.structs.replace(self._known(name), interval_seconds=seconds))
            self._plan_probes({**self.plan.probes, name: probe})
            self._say(SetInterval(target=name, interval_seconds=seconds))
            self._ask(name, probe)
            if name in self._paused and (running := self._probe()) is not None:
                running.pause(name)

    def _known(self, name: str) -> ProbeTarget:
        if name not in self.plan.probes:
            raise unknown("target", "a target that is watched", name, list(self.plan.probes))
        return self.plan.probes[name]

    def _checked(self, probe: ProbeTarget) -> ProbeTarget:
        config = self.plan.config
        probe = config.with_timeout(probe)
        try:
            ready_targets([probe], config.interval_seconds)
        except ConfigError as problem:
            raise ConfigError(str(problem).removeprefix("targets[0].")) from None
        return probe

    def _free_name(self, probe: ProbeTarget) -> str:
        """The name of the target; two URLs that differ in what is not shown are told apart by a number."""
        name, count = probe.shown_name, 1
        if probe.name and name in self.plan.probes:
            raise ConfigError.at("name", "another than that of a target that is watched", name)
        while name in self.plan.probes:
            count += 1
            name = f"{probe.shown_name} ({count})"
        return name

    def _plan_probes(self, probes: dict[str, ProbeTarget]) -> None:
        self.plan = replace(self.plan, probes=probes)

    def _ask(self, name: str, probe: ProbeTarget) -> None:
        if self._run is None or not self._run.running:
            return
        running = self._probe()
        if running is not None:
            running.add(name, probe)
            return
        named = probe if probe.shown_name == name else msgspec.structs.replace(probe, name=name)
        self._run.add_collector(HttpProbe([named], interval_seconds=self.plan.config.interval_seconds))

    def _pause(self, name: str) -> None:
        if (running := self._probe()) is not None:
            running.pause(name)
        self._say(PauseTarget(target=name))

    def _probe(self) -> HttpProbe | None:
        """What probes now; None while nothing does."""
        if self._run is None or not self._run.running:
            return None
        return next((one for one in self._run.collectors if isinstance(one, HttpProbe)), None)

    def _say(self, command: TargetCommand) -> None:
        if self._run is not None:
            self._run.command(encode_command(command))

    # ---- other sources

    def sources(self) -> list[str]:
        """The names of the collectors that the configuration describes."""
        return [params.name for params in self.plan.config.collectors]

    def add_source(self, params: Mapping[str, object]) -> str:
        """Collect from one more source, from now on; returns its name.

        Parameters
        ----------
        params
            As under `collectors` in a configuration: its `type` and its options.

        Raises
        ------
        ConfigError, MissingExtraError, OSError
            As when a monitor is started with it.
        """
        with self._lock:
            config, place = self.plan.config, len(self.plan.config.collectors)
            (added,) = load_config({"collectors": [dict(params)], "host_metrics": False}).collectors
            changed = msgspec.structs.replace(config, collectors=(*config.collectors, added))
            check_collector(added, f"collectors[{place}]")
            make = partial(make_collector, added, f"collectors[{place}]")
            if self._run is not None and self._run.running:
                self._run.add_collector(make())
            self.plan = replace(self.plan, config=changed, makers=(*self.plan.makers, make))
        return added.name

    def remove_source(self, name: str) -> None:
        """Collect from a source no more: its alerts end.

        Raises
        ------
        ConfigError
            If the configuration describes no such source.
        """
        with self._lock:
            names = self.sources()
            if name not in names:
                raise unknown("source", "a source that is watched", name, names)
            place = names.index(name)
            config, makers = self.plan.config, self.plan.makers
            left = tuple(one for one in config.collectors if one.name != name)
            ours = [make for make in makers if _describes(make, config.collectors[place])]
            self.plan = replace(
                self.plan,
                config=msgspec.structs.replace(config, collectors=left),
                makers=tuple(make for make in makers if make not in ours),
            )
            if self._run is not None:
                self._run.end_collector(name)

    # ---- the configuration

    def config(self) -> Config:
        """What is watched now, as a configuration: without literal secrets, and without collectors made in Python."""
        plan = self.plan
        only_references = set(plan.config.pipeline.connectivity.targets)
        listed = {probe.shown_name for probe in plan.config.probes}
        named = [
            _without_secrets(_as_written(name, probe))
            for name, probe in plan.probes.items()
            if name not in only_references or name in listed
        ]
        return msgspec.structs.replace(plan.config, targets=tuple(named), record=plan.record)

    def config_yaml(self) -> str:
        """The same as YAML."""
        return dump_config(self.config())


def _as_written(name: str, probe: ProbeTarget) -> str | ProbeTarget:
    if probe == ProbeTarget(url=probe.url) and probe.shown_name == name:
        return probe.url
    return probe if probe.shown_name == name else msgspec.structs.replace(probe, name=name)


def _without_secrets(target: str | ProbeTarget) -> str | ProbeTarget:
    probe = ProbeTarget(url=target) if isinstance(target, str) else target
    try:
        refuse_literal_secrets(probe, "target")
    except ConfigError:
        kept: str | ProbeTarget = recordable(target)
        return kept
    return target


def _describes(make: object, params: object) -> bool:
    return isinstance(make, partial) and make.func is make_collector and make.args[0] == params


def _positive(where: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigError.at(where, "a number > 0", value)
    return float(value)

"""The two ways to begin: watch something live, or replay a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from aiops_nb.collect import frame_source
from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.collect.http_probe import HttpProbe
from aiops_nb.collect.probe_target import ProbeTarget, ready_targets
from aiops_nb.config import Config, dump_config, load_config
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Collector, Sink
from aiops_nb.live_run import LiveRun
from aiops_nb.monitor import Monitor
from aiops_nb.notebook_cell import note_begun, running_cell, running_request, stop_earlier
from aiops_nb.pipeline_params import PipelineParams
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import Passage, Tap
from aiops_nb.recording import Recording, open_recording
from aiops_nb.replay_run import ReplayRun
from aiops_nb.run import Deliver
from aiops_nb.targets import Target, sorted_out, with_references

if TYPE_CHECKING:
    import pandas as pd

ConfigSource: TypeAlias = Config | PipelineParams | str | Path | dict[str, object] | None


def watch(
    targets: Target | Sequence[Target],
    *,
    every_seconds: float = 1.0,
    record: str | Path | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
) -> Monitor:
    """Watch URLs, and this host, from now on.

    Parameters
    ----------
    targets
        One or more URLs, `ProbeTarget`s or collectors, such as `AccessLog("access.log")`; none at all watches this
        host only. A monitor that is to be started again after a stop needs a function that makes the collector.
    every_seconds
        Interval of each target, > 0.
    record
        Directory of the recording; an existing one is continued. None records nothing.
    config
        A `Config`, the path of a YAML file, or a mapping; None takes the defaults.
    sinks
        Consumers that are to see the stream from its first item.

    Returns
    -------
    Monitor
        Started; stop it with `.stop()` or by leaving its `with` block. In a notebook, running its cell again stops
        what the cell had started before.

    Raises
    ------
    ConfigError
        For a malformed URL, an unknown config key, a value out of range: the message names it.
    RecordingError
        If `record` cannot be written or has another writer.

    Examples
    --------
    >>> with watch("http://127.0.0.1:9/health") as monitor:
    ...     monitor.running
    True
    """
    here = running_cell(running_request())
    loaded = load_config(config)
    probes, makers = sorted_out(targets, loaded)
    probes, loaded = with_references(probes, loaded)
    _check_interval(every_seconds)
    if probes:
        ready_targets(probes, every_seconds)

    def make_run(deliver: Deliver) -> LiveRun:
        tap, repairs = _open_tap(record, loaded)
        try:
            collectors = [*_collectors(probes, every_seconds, loaded), *(make() for make in makers)]
        except BaseException:
            tap.close()
            raise
        observed = loaded.self_observation_seconds
        return LiveRun(collectors, tap, loaded.pipeline, deliver, problems=repairs, observe_every_seconds=observed)

    stop_earlier(here)
    monitor = _started(Monitor(make_run), sinks)
    note_begun(here, monitor)
    return monitor


def _started(monitor: Monitor, sinks: Sequence[Sink]) -> Monitor:
    for sink in sinks:
        monitor.add_sink(sink)
    monitor.start()
    return monitor


def _check_interval(every_seconds: float) -> None:
    if not isinstance(every_seconds, (int, float)) or not 0 < every_seconds < float("inf"):
        raise ConfigError.at("every_seconds", "a number > 0", every_seconds)


def _open_tap(record: str | Path | None, config: Config) -> tuple[Tap, dict[str, str]]:
    if record is None:
        return Passage(), {}
    recorder = Recorder(record, config_yaml=dump_config(config))
    return recorder, ({"recording": " ".join(recorder.repairs)} if recorder.repairs else {})


def _collectors(probes: Sequence[ProbeTarget], every_seconds: float, config: Config) -> list[Collector]:
    collectors: list[Collector] = []
    if probes:
        collectors.append(HttpProbe(probes, every_seconds=every_seconds))
    if config.host_metrics:
        collectors.append(HostMetrics(every_seconds=every_seconds))
    return collectors


def from_frame(
    df: pd.DataFrame,
    *,
    record: str | Path | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
    **columns: Any,
) -> Monitor:
    """Put rows that exist already, a CSV of yesterday, through the same pipeline; returns when done.

    Parameters
    ----------
    df
        The rows.
    record
        Directory of a recording to make of them, for tuning, reports and replays.
    config, sinks
        As for `watch`.
    **columns
        Which columns are what: see `aiops_nb.collect.frame_source.from_frame`.

    Returns
    -------
    Monitor
        Stopped, with all its DataFrames and its dashboard.

    Raises
    ------
    ConfigError
        Naming the column, what was expected, what came and in which row.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"when": ["2026-05-01 12:00:01", "2026-05-01 12:00:02"], "code": [200, 503]})
    >>> monitor = from_frame(df, time="when", status_code="code", constants={"target": "checkout"})
    >>> monitor.features()["count"].tolist()
    [0.0, 1.0, 1.0]
    """
    loaded = load_config(config)
    source = frame_source.from_frame(df, **columns)
    clock = ManualClock(start_ns=source.last_time_ns)  # the time of the rows, or gaps would be judged by today's

    def make_run(deliver: Deliver) -> LiveRun:
        tap, repairs = _open_tap(record, loaded)
        return LiveRun([source], tap, loaded.pipeline, deliver, clock, problems=repairs)

    monitor = _started(Monitor(make_run), sinks)
    monitor.wait()
    monitor.stop()
    return monitor


def replay(
    recording: Recording | str | Path,
    *,
    speed: float | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
) -> Monitor:
    """Put a recording through the same pipeline again.

    Parameters
    ----------
    recording
        From `open_recording`, or its path.
    speed
        None: as fast as it goes; returns when done. A number > 0: that many times real time, in the background, with
        the same dashboard.
    config
        Other parameters than those it was recorded with, to see what they would have made of it.
    sinks
        Consumers that are to see the stream from its first item.

    Returns
    -------
    Monitor
        With the same DataFrames as the live one.

    Raises
    ------
    ConfigError
        If the speed is not > 0, or the config is wrong.
    RecordingError
        If the path is not a recording.
    """
    if speed is not None and not (isinstance(speed, (int, float)) and 0 < speed < float("inf")):
        raise ConfigError.at("speed", "None or a number > 0", speed)
    opened = recording if isinstance(recording, Recording) else open_recording(recording)
    params = None if config is None else load_config(config).pipeline
    items = opened.reader.joined_items if speed is None else opened.reader.items
    monitor = Monitor(lambda deliver: ReplayRun(items, params, deliver, speed), notes=opened.repairs)
    return _started(monitor, sinks)

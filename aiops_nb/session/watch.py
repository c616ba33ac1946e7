"""The two ways to begin: watch something live, or replay a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops_nb.collect.frame import source as frame_source
from aiops_nb.config import Config, ConfigSource
from aiops_nb.config.load import checked_config
from aiops_nb.config.recorded import recording_yaml
from aiops_nb.core.clock import ManualClock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Sink
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.notifications import Notifications, open_notifications
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.run import Deliver
from aiops_nb.notify.params import NotifyParams
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import NullTap, Tap
from aiops_nb.session.objective_history import recalled
from aiops_nb.session.plan import Target, plan_run
from aiops_nb.session.recording import Recording, open_recording
from aiops_nb.view.notebook_cell import note_begun, running_cell, running_request, stop_earlier

if TYPE_CHECKING:
    import pandas as pd


def watch(
    targets: Target | Sequence[Target] = (),
    *,
    interval_seconds: float | None = None,
    record: str | Path | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
) -> Monitor:
    """Watch URLs, and this host, from now on.

    Parameters
    ----------
    targets
        One or more URLs, `ProbeTarget`s or collectors, such as `AccessLog("access.log")`, beside those that the config
        names; none at all watches this host only. A monitor that is to be started again after a stop needs a function
        that makes the collector.
    interval_seconds
        Polling interval of each target that has none of its own, > 0. None: the config's, 1 s by default.
    record
        Directory of the recording; an existing one is continued. None: what the config says, else nothing is recorded.
    config
        A `Config`, the path of a YAML file, or a mapping that says the same; None takes the defaults.
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
    >>> with watch(config={"targets": [{"url": "http://127.0.0.1:9/", "interval": "5s"}]}) as monitor:
    ...     monitor.running
    True
    """
    here = running_cell(running_request())
    directory = None if record is None else str(record)
    plan = plan_run(targets, config, interval_seconds=interval_seconds, record=directory)

    def make_run(deliver: Deliver) -> LiveRun:
        tap, repairs = _open_tap(plan.record, plan.config)
        try:
            collectors = plan.collectors()
            history = recalled(plan, SystemClock().now_ns())
        except BaseException:
            tap.close()
            raise
        observed = plan.config.self_observation_seconds
        return LiveRun(
            collectors,
            tap,
            plan.config.pipeline,
            deliver,
            problems=repairs,
            self_observation_seconds=observed,
            history=history,
        )

    def notify() -> Notifications:
        return open_notifications(plan.config.notify or NotifyParams(), plan.record)

    stop_earlier(here)
    monitor = _started(Monitor(make_run, notify=notify, notify_from_start=plan.config.notify is not None), sinks)
    note_begun(here, monitor)
    return monitor


def _started(monitor: Monitor, sinks: Sequence[Sink]) -> Monitor:
    for sink in sinks:
        monitor.add_sink(sink)
    monitor.start()
    return monitor


def _open_tap(record: str | Path | None, config: Config) -> tuple[Tap, dict[str, str]]:
    if record is None:
        return NullTap(), {}
    recorder = Recorder(record, config_yaml=recording_yaml(config))
    return recorder, ({"recording": " ".join(recorder.repairs)} if recorder.repairs else {})


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
        Which columns are what: see `aiops_nb.collect.frame.source.from_frame`.

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
    loaded = checked_config(config)
    source = frame_source.from_frame(df, **columns)
    clock = ManualClock(start_ns=source.last_time_ns)  # the time of the rows, or gaps would be judged by today's

    def make_run(deliver: Deliver) -> LiveRun:
        tap, repairs = _open_tap(record, loaded)
        return LiveRun([source], tap, loaded.pipeline, deliver, clock, problems=repairs)

    monitor = _started(Monitor(make_run, once=True, mode="frame"), sinks)
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
    params = None if config is None else checked_config(config).pipeline
    items = opened.reader.joined_items if speed is None else opened.reader.items
    extent_ns = opened.reader.time_range_ns

    def make_run(deliver: Deliver) -> ReplayRun:
        return ReplayRun(items, params, deliver, speed, time_range_ns=extent_ns)

    monitor = Monitor(make_run, opened.repairs, once=True, mode="replay", title=opened.path.resolve().name)
    return _started(monitor, sinks)

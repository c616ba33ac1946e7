"""The two ways to begin: watch something live, or replay a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from aiops_nb.collect.frame import source as frame_source
from aiops_nb.collect.frame.columns import TimeUnit
from aiops_nb.config import Config, ConfigSource
from aiops_nb.config.load import checked_config
from aiops_nb.config.recorded import recording_yaml
from aiops_nb.core.clock import ManualClock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Sink
from aiops_nb.core.quantities import exact_duration
from aiops_nb.features.params import WindowParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.notifications import Notifications, open_notifications
from aiops_nb.monitor.ping import Ping
from aiops_nb.monitor.progress import ProgressSink
from aiops_nb.monitor.recording_tap import RecordingTap, delivering
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.run import Deliver
from aiops_nb.notify.answer_links import AnswerPageParams
from aiops_nb.notify.params import NotifyParams
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import NullTap, Tap
from aiops_nb.session.earlier_run import pipeline_of, recorded_acknowledgements, recorded_silences
from aiops_nb.session.objective_history import recalled
from aiops_nb.session.plan import Plan, Target, plan_run
from aiops_nb.session.recording import Recording, open_recording
from aiops_nb.session.watched import WatchedPlan
from aiops_nb.view.notebook_cell import note_begun, running_cell, running_request, stop_earlier

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.monitor.answering.page import AnswerPage


LEAST_ROW_INTERVAL_SECONDS = 2.0
LEAST_SPAN_TICKS = 3


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
        One or more URLs, `ProbeTarget`s or collectors, such as `AccessLog("access.log")`, in addition to those of the
        config; none at all watches this host only. A monitor that is to be started again after a stop needs a function
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
    watched = WatchedPlan(plan_run(targets, config, interval_seconds=interval_seconds, record=directory))

    runs: list[LiveRun] = []

    def make_run(deliver: Deliver) -> LiveRun:
        plan = watched.plan
        tap, repairs = _open_tap(plan.record, plan.config)
        try:
            collectors = plan.collectors()
            goes_on = runs and (plan.record is None or _records_to(runs[-1], plan))
            earlier = runs[-1].pipeline_at_end if goes_on else pipeline_of(plan)
            history = recalled(plan, SystemClock().now_ns())
            silences = earlier.silences() if earlier is not None else recorded_silences(plan.record)
            known = earlier.acknowledgements() if earlier is not None else recorded_acknowledgements(plan.record)
        except BaseException:
            tap.close()
            raise
        observed = plan.config.self_observation_seconds
        run = LiveRun(
            collectors,
            tap,
            plan.config.pipeline,
            delivering(tap, deliver),
            problems=repairs,
            self_observation_seconds=observed,
            history=history,
            earlier=earlier,
            silences=silences,
            acknowledged=known,
        )
        if isinstance(tap, RecordingTap):
            tap.problems = run.rule_problems
        runs[:] = [run]
        return run

    def notify() -> Notifications:
        plan = watched.plan
        return open_notifications(plan.config.notify or NotifyParams(), plan.record)

    plan = watched.plan
    runs += [run for one in stop_earlier(here) if (run := _run_to_go_on_from(one, plan)) is not None]
    notifies = plan.config.notify is not None
    ping = None if plan.config.ping is None else partial(Ping, plan.config.ping)
    monitor = Monitor(
        make_run,
        notify=notify,
        notify_from_start=notifies,
        watched=watched,
        ping=ping,
        answer_page=None if plan.config.answer_page is None else partial(_answer_page, plan.config.answer_page),
    )
    _started(monitor, sinks)
    note_begun(here, monitor)
    return monitor


def _answer_page(params: AnswerPageParams, monitor: Monitor) -> AnswerPage:
    from aiops_nb.monitor.answering.page import AnswerPage  # Tornado is loaded only where there is a page

    return AnswerPage(monitor, params)


def _run_to_go_on_from(earlier: object, plan: Plan) -> LiveRun | None:
    """The last run of a monitor, if its baselines are those that the recording of the plan leads to."""
    run = earlier.last_run if isinstance(earlier, Monitor) else None
    return run if isinstance(run, LiveRun) and _records_to(run, plan) else None


def _records_to(run: LiveRun, plan: Plan) -> bool:
    return run.recording == (None if plan.record is None else Path(plan.record).resolve())


def _started(monitor: Monitor, sinks: Sequence[Sink]) -> Monitor:
    for sink in sinks:
        monitor.add_sink(sink)
    monitor.start()
    return monitor


def _open_tap(record: str | Path | None, config: Config) -> tuple[Tap, dict[str, str]]:
    if record is None:
        return NullTap(), {}
    recorder = Recorder(record, config_yaml=recording_yaml(config))
    repairs = {"recording": " ".join(recorder.repairs)} if recorder.repairs else {}
    return RecordingTap(recorder, derives=config.derived_tables), repairs


def from_frame(
    df: pd.DataFrame,
    *,
    table: Literal["requests", "samples", "messages"] = "requests",
    time: str = "time",
    target: str = "target",
    name: str = "frame",
    timezone: str = "UTC",
    time_unit: TimeUnit = "s",
    sort: bool = True,
    constants: Mapping[str, str] | None = None,
    origin: str | None = None,
    method: str | None = None,
    status_code: str | None = None,
    duration_seconds: str | None = None,
    duration_ms: str | None = None,
    error_type: str | None = None,
    error_detail: str | None = None,
    client_ip: str | None = None,
    response_bytes: str | None = None,
    resolve_seconds: str | None = None,
    connect_seconds: str | None = None,
    tls_seconds: str | None = None,
    wait_seconds: str | None = None,
    transfer_seconds: str | None = None,
    certificate_expires: str | None = None,
    extra: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    severity: str | None = None,
    text: str | None = None,
    template: str | None = None,
    record: str | Path | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
    progress: bool | None = None,
) -> Monitor:
    """Put rows that exist already, a CSV of yesterday, through the same pipeline; returns when done.

    Windows are as wide as the rows are apart, if the configuration says nothing else: a window of 1 s a row of five
    minutes would be 300 windows, 299 of them empty. `monitor.warnings()` says so.

    Parameters
    ----------
    df
        The rows.
    table, time, target, name, timezone, time_unit, sort, constants
        As for `aiops_nb.collect.frame.source.from_frame`: which table, the columns with time and target, the name of
        the source, how times are read, and one value for all rows by column.
    origin, method, status_code, duration_seconds, duration_ms, error_type, error_detail, client_ip, response_bytes
        Names of the columns of `df` with these values; columns of the same name are found by themselves.
    resolve_seconds, connect_seconds, tls_seconds, wait_seconds, transfer_seconds, certificate_expires, extra
        The same.
    metric, value, severity, text, template
        The same, of samples and messages.
    record
        Directory of a recording to make of them, for tuning, reports and replays.
    config, sinks
        As for `watch`.
    progress
        Whether to show how far it is; None: in a terminal or a notebook, after three seconds.

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
    named = {
        "origin": origin,
        "method": method,
        "status_code": status_code,
        "duration_seconds": duration_seconds,
        "duration_ms": duration_ms,
        "error_type": error_type,
        "error_detail": error_detail,
        "client_ip": client_ip,
        "response_bytes": response_bytes,
        "resolve_seconds": resolve_seconds,
        "connect_seconds": connect_seconds,
        "tls_seconds": tls_seconds,
        "wait_seconds": wait_seconds,
        "transfer_seconds": transfer_seconds,
        "certificate_expires": certificate_expires,
        "extra": extra,
        "metric": metric,
        "value": value,
        "severity": severity,
        "text": text,
        "template": template,
    }
    source = frame_source.from_frame(
        df,
        table=table,
        time=time,
        target=target,
        name=name,
        timezone=timezone,
        time_unit=time_unit,
        sort=sort,
        constants=constants,
        **{ours: theirs for ours, theirs in named.items() if theirs is not None},
    )
    loaded, notes = _with_window_of_rows(checked_config(config), source.interval_seconds)
    shown = ProgressSink("from_frame", (source.first_time_ns, source.last_time_ns), progress)
    clock = ManualClock(start_ns=source.last_time_ns)  # the time of the rows, or gaps would be judged by today's

    def make_run(deliver: Deliver) -> LiveRun:
        tap, repairs = _open_tap(record, loaded)
        run = LiveRun([source], tap, loaded.pipeline, delivering(tap, deliver), clock, problems=repairs)
        if isinstance(tap, RecordingTap):
            tap.problems = run.rule_problems
        return run

    monitor = _started(Monitor(make_run, notes, once=True, mode="frame"), [*sinks, shown])
    monitor.wait()
    monitor.stop()
    shown.close()
    return monitor


def _with_window_of_rows(config: Config, interval_seconds: float | None) -> tuple[Config, list[str]]:
    """Windows as wide as the rows are apart, where the configuration leaves them as they are by default."""
    pipeline = config.pipeline
    if interval_seconds is None or interval_seconds < LEAST_ROW_INTERVAL_SECONDS or pipeline.window != WindowParams():
        return config, []
    seconds = float(round(interval_seconds))
    span_ticks = max(
        LEAST_SPAN_TICKS, round(pipeline.window.span_ticks / seconds)
    )  # the minute that it was, or little more
    window = replace(pipeline.window, tick_seconds=seconds, span_ticks=span_ticks)
    text = f"windows are {exact_duration(seconds)} wide, as the rows are apart; pipeline.window.tick sets another width"
    return replace(config, pipeline=replace(pipeline, window=window)), [text]


def replay(
    recording: Recording | str | Path,
    *,
    speed: float | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
    progress: bool | None = None,
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
    progress
        Whether to show how far it is (`speed` None); None: in a terminal or a notebook, after three seconds.

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
        return ReplayRun(items, params, deliver, speed, time_range_ns=extent_ns, trust=opened.reader.trusted)

    title = opened.path.resolve().name
    monitor = Monitor(make_run, opened.repairs, once=True, mode="replay", title=title, replayed=opened.path)
    if speed is not None:
        return _started(monitor, sinks)
    shown = ProgressSink("replay", extent_ns, progress)
    with opened.derived.being_kept() if params is None else nullcontext() as kept:
        try:
            _started(monitor, [*sinks, shown, *([] if kept is None else [kept])])
        finally:
            shown.close()
        run = monitor.last_run
        if kept is not None and isinstance(run, ReplayRun) and run.is_exact:
            kept.finish(opened.path, run.problems())
    return monitor

"""A monitor: one stream, started and stopped, seen as DataFrames and as a dashboard."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
import pyarrow as pa

from aiops_nb.alert.silences import HeldSilence
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.columns import times_ns
from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.labels import PlacedMark
from aiops_nb.core.matchers import MatcherSource
from aiops_nb.core.moments import Moment
from aiops_nb.core.protocols import Sink
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import AlertChange, FeatureTableName, Step
from aiops_nb.engine.commands import (
    Acknowledge,
    Command,
    Comment,
    EndSilence,
    SetThreshold,
    Unacknowledge,
    Unmark,
    decode_command,
    encode_command,
)
from aiops_nb.frames.alert_choice import AlertChoice
from aiops_nb.frames.base import FrameAccess
from aiops_nb.frames.build import bare_scores_frame, features_frame
from aiops_nb.frames.html import summary_html
from aiops_nb.frames.noise import Noise, noise_of
from aiops_nb.monitor.answering.choices import (
    Duration,
    active_fingerprint,
    author_or_user,
    known_silence,
    new_mark,
    new_silence,
    silences_frame,
    snooze_of,
)
from aiops_nb.monitor.notifications import Notifications, notifications_frame
from aiops_nb.monitor.pace import Pace
from aiops_nb.monitor.ping import Ping
from aiops_nb.monitor.run import Counters, Deliver, FanOut, Run
from aiops_nb.monitor.self_observation import collector_notices, rejected_frame
from aiops_nb.monitor.step_store import StepStore
from aiops_nb.monitor.thresholds import checked_threshold
from aiops_nb.monitor.watched import Watched, targets_frame
from aiops_nb.notify.message import Notifier
from aiops_nb.notify.params import ChannelParams
from aiops_nb.notify.registry import make_notifier
from aiops_nb.record.format import LABELS
from aiops_nb.record.labels import LabelFile

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.monitor.answering.control import ControlSocket
    from aiops_nb.monitor.answering.page import AnswerPage
    from aiops_nb.view.dashboard import Dashboard

_log = logging.getLogger(__name__)


Mode: TypeAlias = Literal["live", "replay", "frame", "synthetic", "follow"]
State: TypeAlias = Literal["not started", "running", "stopped", "finished"]


class Monitor(FrameAccess):
    """A stream that is watched: live, replayed from a recording, or made of rows that exist already.

    Made by `watch`, `replay`, `from_frame` and `from_synthetic`. A context manager: leaving it stops the monitor.
    Nothing here blocks: the work is done in threads, and what was seen stays readable after the end, up to 256 MB of it
    (a recording keeps everything).

    Parameters
    ----------
    make_run
        Builds one start-to-stop, given where to deliver its steps.
    notes
        Sentences to show with the warnings, such as what was repaired.
    notify, notify_from_start
        Opens the notifications: at each start, or when the first notifier is added. None: nobody is ever notified.
    once
        For rows that exist already: a second start would bring each of them twice, so that it does nothing.
    watched
        What can be changed while it runs; None for rows that exist already.
    mode, title
        Where the rows come from, and the name of it, such as that of a recording.
    replayed
        Directory of the recording that the rows come from.
    ping
        Opens what asks a URL from time to time while it runs, so that somebody else notices when it is gone.
    answer_page
        Opens the page to which messages link, on which alerts are answered; None: there is none.
    """

    def __init__(
        self,
        make_run: Callable[[Deliver], Run],
        notes: Sequence[str] = (),
        *,
        once: bool = False,
        mode: Mode = "live",
        title: str = "",
        replayed: str | Path | None = None,
        notify: Callable[[], Notifications] | None = None,
        notify_from_start: bool = False,
        watched: Watched | None = None,
        ping: Callable[[], Ping] | None = None,
        answer_page: Callable[[Monitor], AnswerPage] | None = None,
    ) -> None:
        self._make_run, self._notes, self._once = make_run, tuple(notes), once
        self.mode: Mode = mode
        self.title = title
        self._replayed = None if replayed is None else str(replayed)
        self._store, self._fan_out = StepStore(), FanOut()
        self._fan_out.add(self._store)
        self._lock = threading.RLock()
        self._run: Run | None = None
        self._moved: dict[str, float] = {}
        self._silence_ids: set[str] = set()
        self._control: ControlSocket | None = None
        self._notify = notify
        self._notify_from_start = notify_from_start
        self._watched = watched
        self._make_ping = ping
        self._ping: Ping | None = None
        self._make_answer_page = answer_page
        self._answer_page: AnswerPage | None = None
        self._notifications: Notifications | None = None
        self._last_notifications: list[dict[str, object]] = []
        self._dashboard: Dashboard | None = None

    def __repr__(self) -> str:
        return f"<Monitor {self._what}, {self.state}: {self.counters.rows_total:,} rows, {self._alerts_in_words()}>"

    def _repr_html_(self) -> str:
        facts = {"rows": f"{self.counters.rows_total:,}", "alerts": self._alerts_in_words()}
        if self.state == "running":
            facts["next"] = ".dashboard() shows it live, .alerts() lists alerts, .stop() ends it"
        return summary_html(f"Monitor {self._what}, {self.state}", facts, self.warnings(), self._alerts(None, None))

    @property
    def _what(self) -> str:
        return f"{self.mode} of {self.title}" if self.title else self.mode

    def _alerts_in_words(self) -> str:
        firing = len(self.firing())
        return f"{firing} alert{'' if firing == 1 else 's'} firing"

    @property
    def state(self) -> State:
        """`not started`, `running`, `stopped` (can be started again) or `finished` (cannot: there are no more rows)."""
        if self.running:
            return "running"
        if self._run is None:
            return "not started"
        return "finished" if self._once else "stopped"

    @property
    def progress_ratio(self) -> float | None:
        """How much of a recording is replayed, from 0 to 1; None of a live stream, which has no end."""
        return self._run.progress_ratio if self._run is not None else None

    def __enter__(self) -> Monitor:
        if not self.running:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def last_run(self) -> Run | None:
        """Its present run, or the last one; None before the first start."""
        return self._run

    @property
    def running(self) -> bool:
        """Whether rows still flow."""
        run = self._run
        return run is not None and run.running

    @property
    def replays(self) -> bool:
        """Whether its rows exist already: a replay of a recording, or a DataFrame."""
        return self._once

    @property
    def ended(self) -> bool:
        """Whether it has run and cannot run again: a replay, or rows that existed already."""
        return self._once and self._run is not None and not self.running

    def start(self) -> None:
        """Start, or start again after a stop; a running monitor is left alone, and so is one that has `ended`."""
        with self._lock:
            if not self.running and not self.ended:
                self._moved = {}
                self._run = self._make_run(self._fan_out.deliver)
                self._open_answer_page()
                self._open_notifications()
                self._open_ping()
                self._run.start()
                if self._watched is not None:
                    self._watched.follow(self._run)

    def _open_answer_page(self) -> None:
        self._close_answer_page()
        if self._make_answer_page is not None:
            self._answer_page = self._make_answer_page(self)

    def _close_answer_page(self) -> None:
        page, self._answer_page = self._answer_page, None
        if page is not None:
            page.close()

    def answer_link(self, alert: AlertChoice) -> str:
        """The link to the page on which an alert is answered, as messages have it.

        Parameters
        ----------
        alert
            As for `acknowledge`.

        Returns
        -------
        str
            A URL.

        Raises
        ------
        ConfigError
            If the configuration has no `answer_page`, or there is no such alert.
        """
        if self._answer_page is None:
            raise ConfigError("answer_page: expected a running monitor with `answer_page` in its configuration")
        fingerprint = active_fingerprint(self._alerts(None, None), alert)
        return self._answer_page.links.link(fingerprint, self._stream_now_ns())

    def _open_ping(self) -> None:
        self._close_ping()
        if self._make_ping is not None:
            self._ping = self._make_ping()
            self._fan_out.add(self._ping)

    def _close_ping(self) -> None:
        ping, self._ping = self._ping, None
        if ping is not None:
            self._fan_out.remove(ping)
            ping.close()

    def _open_notifications(self) -> None:
        """After the run, which makes the recording that the log lies in."""
        self._close_notifications()
        if self._notify is not None and self._notify_from_start:
            self._begin_to_notify(self._notify())

    def _begin_to_notify(self, notifications: Notifications) -> None:
        if self._answer_page is not None:
            notifications.link_answers(self._answer_page.links)
        self._notifications = notifications
        self._fan_out.add(notifications)

    def _close_notifications(self) -> None:
        notifications, self._notifications = self._notifications, None
        if notifications is not None:
            self._fan_out.remove(notifications)
            self._last_notifications = notifications.rows()
            notifications.close()

    def stop(self) -> None:
        """Stop collecting, judge what was queued, seal the recording; may be called twice. Returns within 10 s."""
        run = self._run  # without the lock: a sink that asks for it must not hold up its own end
        if run is not None:
            run.stop()
        self._close_notifications()
        self._close_ping()
        self._close_answer_page()
        control, self._control = self._control, None
        if control is not None:
            control.close()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the stream has ended; true if it has.

        Parameters
        ----------
        timeout_seconds
            At most so long; None: without a limit.

        Returns
        -------
        bool
            Whether the stream has ended.
        """
        return self._run is None or self._run.wait(timeout_seconds)

    def set_threshold(self, rule: str, value: float) -> None:
        """Move the threshold of a rule of the running stream: it holds, and is recorded, from here on.

        Parameters
        ----------
        rule
            Its alertname; `thresholds()` lists those that have one.
        value
            In the unit of the rule: deviations, a score below 100, times a limit or a baseline.

        Raises
        ------
        ConfigError
            If there is no such rule, it has no threshold, the value cannot be one, or nothing runs.

        Examples
        --------
        >>> monitor = Monitor(make_run=lambda deliver: None)
        >>> monitor.set_threshold("latency_p95_anomaly", 8.0)
        Traceback (most recent call last):
        ...
        aiops_nb.core.errors.ConfigError: set_threshold: expected a running monitor, got one that is not started
        """
        self._require_running("set_threshold")
        run = self._run
        if run is None:
            return
        run.command(encode_command(checked_threshold(run.params, rule, value)))
        self._moved[rule] = float(value)

    @property
    def pace(self) -> Pace | None:
        """How fast a replay goes: speed, pause, step, skip; None of a live stream, and of a replay at full speed."""
        return getattr(self._run, "pace", None)

    def pause(self) -> None:
        """Pause a replay that has a speed: recorded time passes no more until `resume`."""
        self._pace_of_replay().pause()

    def resume(self) -> None:
        """Let a paused replay go on."""
        self._pace_of_replay().resume()

    def step(self) -> None:
        """Let a paused replay go on to its next recorded heartbeat, about a second later."""
        self._pace_of_replay().step()

    def set_speed(self, speed: float) -> None:
        """Let a replay go this many times as fast as real time, > 0, from now on.

        Parameters
        ----------
        speed
            Seconds of the recording a second.

        Raises
        ------
        ConfigError
            For a number that is not > 0, or if this is no replay.
        """
        if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 < speed < math.inf:
            raise ConfigError.at("speed", "a number > 0", speed)
        self._pace_of_replay().set_speed(float(speed))

    def skip_to(self, moment: Moment) -> None:
        """Let a replay go on to a later recorded time as fast as it can; nothing is left out.

        Parameters
        ----------
        moment
            A time, as `start` of `requests()`; one that has passed changes nothing.
        """
        pace = self._pace_of_replay()
        start_ns, _ = self.range_ns(moment, None)
        pace.skip_to(start_ns or 0)

    @property
    def writer(self) -> str | None:
        """Of a recording that is followed: `writing`, `silent` or `gone`; None where no other process records."""
        return getattr(self._run, "writer", None)

    def _pace_of_replay(self) -> Pace:
        pace = self.pace
        if pace is None or not self.running:
            raise ConfigError(f"expected a running replay with a speed, got a monitor: {self.mode}, {self.state}")
        return pace

    def thresholds(self) -> dict[str, float]:
        """The thresholds that `set_threshold` can move, by alertname, as they are now.

        Returns
        -------
        dict
            Threshold by alertname, in the unit of the rule.
        """
        return {} if self._run is None else self._run.params.thresholds | self._moved

    @property
    def watched(self) -> Watched | None:
        """The targets and sources, and what can be changed of them; None where the rows exist already."""
        return self._watched

    def _to_change(self) -> Watched:
        if self._watched is None:
            raise ConfigError(f"targets: expected a live monitor, got a {self.mode}: its rows exist already")
        return self._watched

    def targets(self) -> pd.DataFrame:
        """The URLs that are probed: name, url (without secrets), interval_seconds, state (`active` or `paused`).

        Returns
        -------
        pandas.DataFrame
            A row per target.
        """
        return targets_frame([] if self._watched is None else self._watched.targets())

    def add_target(self, target: str | ProbeTarget, *, interval_seconds: float | None = None) -> str:
        """Probe one more URL from now on, recorded as a command of the stream.

        Parameters
        ----------
        target
            A URL, or a `ProbeTarget` with its options.
        interval_seconds
            Its interval, > 0; None: that of the target, else the one of the configuration.

        Returns
        -------
        str
            Its name: what `remove_target`, `pause_target` and the tables call it.

        Raises
        ------
        ConfigError
            For a malformed URL, one that is watched already, a timeout longer than the interval; and for a replay.

        Examples
        --------
        >>> from aiops_nb import watch
        >>> with watch("http://127.0.0.1:9/health") as monitor:
        ...     name = monitor.add_target("http://127.0.0.1:9/ready", interval_seconds=5)
        ...     monitor.pause_target(name)
        ...     monitor.targets()["state"].tolist()
        ['active', 'paused']
        """
        return self._to_change().add_target(target, interval_seconds)

    def remove_target(self, name: str) -> None:
        """Probe a target no more: its alerts end, its rows stay. `ConfigError` for an unknown name.

        Parameters
        ----------
        name
            Of the target.
        """
        self._to_change().remove_target(name)

    def pause_target(self, name: str) -> None:
        """Probe a target no more until `resume_target`: its alerts end, its baselines are kept.

        Parameters
        ----------
        name
            Of the target.
        """
        self._to_change().pause_target(name)

    def resume_target(self, name: str) -> None:
        """Probe a paused target again.

        Parameters
        ----------
        name
            Of the target.
        """
        self._to_change().resume_target(name)

    def set_interval(self, name: str, interval_seconds: float) -> None:
        """Probe a target at another interval from now on.

        Parameters
        ----------
        name
            Of the target.
        interval_seconds
            The new interval, > 0.
        """
        self._to_change().set_interval(name, interval_seconds)

    def config_yaml(self) -> str:
        """The YAML of what is watched now, targets added and removed since the start included.

        Literal secrets are left out: write them as references (`env:NAME`, `file:PATH`). Collectors that were made in
        Python have no YAML.

        Returns
        -------
        str
            YAML that `Config.load` reads.
        """
        return self._to_change().config_yaml()

    @property
    def recording(self) -> str | None:
        """Directory of the recording that is written, replayed or followed, if there is one."""
        return self._replayed if self._watched is None else self._watched.record

    @property
    def label_file(self) -> LabelFile | None:
        """The labels of the recording that is written, replayed or followed, if there is one."""
        return None if self.recording is None else LabelFile(Path(self.recording) / LABELS)

    def record_to(self, directory: str | Path | None) -> None:
        """Record to a directory from now on, or no more: a running monitor is stopped and started again.

        A recording is complete in itself, so that baselines are learned again when one begins.

        Parameters
        ----------
        directory
            An earlier recording there is continued. None: the present one is sealed, and nothing is recorded.

        Raises
        ------
        ConfigError
            For rows that exist already.
        RecordingError
            If it cannot be written or has another writer; the monitor then goes on without a recording.
        """
        watched, was_running = self._to_change(), self.running
        self.stop()
        watched.record = None if directory is None else str(directory)
        if not was_running:
            return
        try:
            self.start()
        except AiopsError:
            watched.record = None
            self.start()
            raise

    def command(self, command: Command | Mapping[str, object]) -> None:
        """Put a command into the stream, as the dashboard does; users have `set_threshold`. Ignored while nothing runs.

        Parameters
        ----------
        command
            One of `aiops_nb.engine.commands`, or its JSON object.

        Raises
        ------
        ConfigError
            If it is not a command, or names a rule that there is not.
        """
        checked = _command_of(command) if isinstance(command, Mapping) else command
        if isinstance(checked, SetThreshold):
            if self.running:
                self.set_threshold(checked.alertname, checked.threshold)
        elif self._run is not None:
            self._run.command(encode_command(checked))

    def acknowledge(self, alert: AlertChoice, *, note: str = "", author: str | None = None) -> None:
        """Say that somebody knows of an active alert: nobody is reminded of this episode any more.

        Recorded in the stream, as all answers are. The acknowledgement ends with the episode.

        Parameters
        ----------
        alert
            As for `evidence`: a fingerprint, an alertname, a row number or a row of `alerts()`.
        note
            Shown with the alert.
        author
            Who; None: the user who runs this process.

        Raises
        ------
        ConfigError
            If there is no such alert, it is over, or nothing runs.

        Examples
        --------
        >>> Monitor(make_run=lambda deliver: None).acknowledge("http_5xx", note="on it")
        Traceback (most recent call last):
        ...
        aiops_nb.core.errors.ConfigError: acknowledge: expected a running monitor, got one that is not started
        """
        self._require_running("acknowledge")
        fingerprint = active_fingerprint(self._alerts(None, None), alert)
        self.command(Acknowledge(fingerprint=fingerprint, author=author_or_user(author), note=note))

    def unacknowledge(self, alert: AlertChoice, *, author: str | None = None) -> None:
        """Take an acknowledgement back; arguments and errors as for `acknowledge`.

        Parameters
        ----------
        alert
            As for `acknowledge`.
        author
            Who; None: the user of this machine.
        """
        self._require_running("unacknowledge")
        fingerprint = active_fingerprint(self._alerts(None, None), alert)
        self.command(Unacknowledge(fingerprint=fingerprint, author=author_or_user(author)))

    def comment(self, alert: AlertChoice, text: str, *, author: str | None = None) -> None:
        """Note something about the present episode of an alert; errors as for `acknowledge`.

        Parameters
        ----------
        alert
            As for `acknowledge`.
        text
            What is noted.
        author
            Who; None: the user of this machine.
        """
        self._require_running("comment")
        fingerprint = active_fingerprint(self._alerts(None, None), alert)
        self.command(Comment(fingerprint=fingerprint, text=text, author=author_or_user(author)))

    def snooze(
        self, alert: AlertChoice, duration: Duration = "1h", *, note: str = "", author: str | None = None
    ) -> str:
        """Silence one alert for a time, `"30m"` or seconds; returns the id of the silence.

        If it still fires then, people are notified again. Errors as for `acknowledge`.

        Parameters
        ----------
        alert
            As for `acknowledge`.
        duration
            `"30m"` or seconds.
        note
            Why.
        author
            Who; None: the user of this machine.

        Returns
        -------
        str
            Id of the silence.
        """
        self._require_running("snooze")
        fingerprint = active_fingerprint(self._alerts(None, None), alert)
        command = snooze_of(fingerprint, duration, author, note)
        self.command(command)
        return command.id

    def silence(
        self,
        matchers: MatcherSource,
        *,
        duration: Duration | None = None,
        start: Moment = None,
        end: Moment = None,
        author: str | None = None,
        reason: str = "",
    ) -> str:
        """Notify nobody of alerts with these labels for a time; they are measured and recorded all the same.

        Parameters
        ----------
        matchers
            In Alertmanager's syntax, `'severity="warning", target=~"api.*"'`, as a list of such, or a mapping.
        duration, end
            One of them: `"2h"` or seconds, or a time.
        start
            None: now.
        author, reason
            Who (None: the user who runs this process), and why.

        Returns
        -------
        str
            Its id, for `end_silence`.

        Raises
        ------
        ConfigError
            For matchers and times that cannot be read, and if nothing runs.

        Examples
        --------
        >>> from aiops_nb import watch
        >>> with watch("http://127.0.0.1:9/health") as monitor:
        ...     id = monitor.silence('target=~".*health"', duration="2h", reason="deployment")
        ...     monitor.end_silence(id)
        """
        self._require_running("silence")
        now_ns = self._stream_now_ns()
        command = new_silence(
            matchers, duration=duration, start=start, end=end, author=author, reason=reason, now_ns=now_ns
        )
        self.command(command)
        self._silence_ids.add(command.id)
        return command.id

    def end_silence(self, id: str, *, author: str | None = None) -> None:
        """End a silence, or a snooze, before its time.

        Parameters
        ----------
        id
            What `silence` or `snooze` returned.
        author
            Who; None: the user of this machine.

        Raises
        ------
        ConfigError
            If there is no such silence, or nothing runs.
        """
        self._require_running("end_silence")
        if id not in self._silence_ids:  # it may still be in the queue
            known_silence(self._held_silences(), id, self._stream_now_ns())
        self.command(EndSilence(id=id, author=author_or_user(author)))
        self._silence_ids.discard(id)

    def mark(
        self,
        text: str,
        target: str | None = None,
        *,
        at: Moment = None,
        author: str | None = None,
    ) -> str:
        """Note that something was done, such as a deployment: a command of the stream, shown in charts and alerts.

        Parameters
        ----------
        text
            What was done.
        target
            The target that it was done to; None: all.
        at
            When; None: now.
        author
            Who; None: the user who runs this process.

        Returns
        -------
        str
            Its id, for `unmark`.

        Raises
        ------
        ConfigError
            If the text is empty or longer than 2,000 characters, or nothing runs.

        Examples
        --------
        >>> from aiops_nb import watch
        >>> with watch("http://127.0.0.1:9/health") as monitor:
        ...     id = monitor.mark("deploy v42")
        ...     monitor.unmark(id)
        """
        self._require_running("mark")
        command = new_mark(text, target, None if at is None else self.range_ns(at, None)[0], author)
        self.command(command)
        return command.id

    def unmark(self, id: str, *, author: str | None = None) -> None:
        """Take a mark back; one that there is not is ignored.

        Parameters
        ----------
        id
            What `mark` returned.
        author
            Who; None: the user of this machine.
        """
        self._require_running("unmark")
        self.command(Unmark(id=id, author=author_or_user(author)))

    def silences(self) -> pd.DataFrame:
        """All silences: id, state (active, pending, expired), matchers, times in UTC, author, reason, ended_by.

        Returns
        -------
        pandas.DataFrame
            A row per silence.
        """
        return silences_frame(self._held_silences(), self._stream_now_ns())

    def listen(self, path: str | Path | None = None) -> Path:
        """Answer `aiops-nb alerts`, `ack`, `comment` and `silence` of the same user on a Unix socket until the stop.

        Parameters
        ----------
        path
            Of the socket; None: in this user's runtime folder, where the commands look.

        Returns
        -------
        Path
            Of the socket, whose mode is 0600.

        Raises
        ------
        AiopsError
            If it cannot be made.
        """
        from aiops_nb.monitor.answering.control import ControlSocket

        with self._lock:
            if self._control is None:
                self._control = ControlSocket(self, path)
            return self._control.path

    def _held_silences(self) -> tuple[HeldSilence, ...]:
        return () if self._run is None else self._run.silences()

    def _stream_now_ns(self) -> int:
        return SystemClock().now_ns() if self._run is None else self._run.now_ns()

    def _require_running(self, what: str) -> None:
        if not self.running:
            raise ConfigError(f"{what}: expected a running monitor, got one that is {self.state}")

    def add_sink(self, sink: Sink) -> None:
        """Deliver every further step to one more sink.

        Parameters
        ----------
        sink
            Takes steps in the engine's thread; see `Sink`.
        """
        self._fan_out.add(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Deliver to it no more.

        Parameters
        ----------
        sink
            One that was added; others are ignored.
        """
        self._fan_out.remove(sink)

    def add_notifier(self, channel: ChannelParams | Notifier) -> None:
        """Notify people of alerts by one more channel, until the monitor stops; `notify` in the config is for good.

        Parameters
        ----------
        channel
            Parameters such as `SlackParams(url="env:SLACK_URL")`, or a `Notifier` of your own.

        Raises
        ------
        ConfigError
            For a replay, which notifies nobody, and for the name of a channel that is there already.
        MissingExtraError
            If the channel needs an extra that is not installed.

        Examples
        --------
        >>> from aiops_nb import watch
        >>> from aiops_nb.notify.params import WebhookParams
        >>> with watch("http://127.0.0.1:9/health") as monitor:
        ...     monitor.add_notifier(WebhookParams(url="http://127.0.0.1:9/hook", name="chat"))
        ...     len(monitor.notifications())
        0
        """
        if self._notify is None:
            raise ConfigError("add_notifier: expected a live monitor, got one that notifies nobody (a replay)")
        notifier = channel if isinstance(channel, Notifier) else make_notifier(channel)
        with self._lock:
            if self._notifications is None:
                self._begin_to_notify(self._notify())
            if self._notifications is not None:
                self._notifications.add(notifier)

    def notifications(self) -> pd.DataFrame:
        """The notification log: one row for each message, with its state and why it was not delivered.

        Returns
        -------
        pandas.DataFrame
            A row per message, the oldest first.
        """
        rows = self._last_notifications if self._notifications is None else self._notifications.rows()
        return notifications_frame(rows)

    def undelivered(self) -> dict[tuple[str, int], str]:
        """Alerts that did not reach people.

        Returns
        -------
        dict
            Channels and errors, by fingerprint and start of the condition in UTC ns; empty without notifications.
        """
        return {} if self._notifications is None else self._notifications.undelivered()

    def noise(self) -> Noise:
        """How noisy alerting is since the first start: by day, rule, target and channel, with a chart (`plot`).

        Of the alerts that are still kept in memory; `recording.noise()` knows all.

        Returns
        -------
        Noise
            Tables and a chart.
        """
        rows = self._last_notifications if self._notifications is None else self._notifications.rows()
        return noise_of(self._store.changes(), rows)

    @property
    def counters(self) -> Counters:
        """How the present run is doing."""
        if self._run is None:
            return Counters(sink_errors_total=self._fan_out.errors_total)
        stream = self._run.stream_counters()
        return Counters(
            rows_total=stream.rows_total,
            late_total=stream.late_total,
            ahead_total=stream.ahead_total,
            ticks_total=stream.ticks_total,
            skipped_ticks_total=stream.skipped_ticks_total,
            queued_batches=self._run.queued_batches(),
            poll_errors_total=self._run.poll_errors_total(),
            sink_errors_total=self._fan_out.errors_total,
        )

    def warnings(self) -> list[str]:
        """What a user should know now, a sentence each: what fails (collectors, rules), and rejected lines.

        Returns
        -------
        list of str
            A sentence each; empty while all is well.
        """
        counters, run = self.counters, self._run
        problems = {**(run.problems() if run else {}), **self._fan_out.problems()}
        problems |= {} if self._ping is None else self._ping.problems()
        if self._notifications is not None:
            problems |= self._notifications.problems()
        lines = [*self._notes, *(f"{part}: {text}" for part, text in problems.items())]
        if counters.late_total:
            lines.append(f"{counters.late_total} late rows: their window was closed (recorded, not used)")
        if counters.ahead_total:
            lines.append(f"{counters.ahead_total} rows with timestamps in the future (recorded, not used)")
        return lines

    def notices(self) -> list[str]:
        """What collectors found and assumed, a sentence each: the pattern of a log, the time zone of its times.

        Returns
        -------
        list of str
            A sentence each.
        """
        found = collector_notices(self._run.collectors if self._run else ())
        return [f"{part}: {text}" for part, text in found.items()]

    def rejected(self) -> pd.DataFrame:
        """The last rejected lines of each collector: source, reason, detail, line (its beginning).

        Returns
        -------
        pandas.DataFrame
            A row per line.
        """
        return rejected_frame(self._run.collectors if self._run else ())

    def firing(self) -> list[AlertChange]:
        """The alerts that fire now and that no other inhibits; silenced and acknowledged ones too.

        Returns
        -------
        list of AlertChange
            The last change of each.
        """
        state = {change.fingerprint: change for change in self._store.changes()}
        return [change for change in state.values() if change.is_firing and not change.inhibited_by]

    def recent(self) -> list[Step]:
        """The kept steps, oldest first: what a dashboard made later begins with.

        Returns
        -------
        list of Step
            At most as many as fit into the memory set aside for them.
        """
        return self._store.steps()

    def dashboard(self) -> Dashboard:
        """The live dashboard; asked for again (a re-run cell, a reloaded page) it replaces the one before.

        Returns
        -------
        Dashboard
            Shown when it is the last value of a cell.
        """
        from aiops_nb.view.dashboard import Dashboard

        with self._lock:
            if self._dashboard is not None:
                self._dashboard.close()
            self._dashboard = Dashboard(self)
            return self._dashboard

    def _batches(self, table: TableName, start_ns: int | None, end_ns: int | None) -> list[pa.RecordBatch]:
        return self._store.batches(table)

    def _features(self, table: FeatureTableName, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        return features_frame(table, self._store.steps())

    def _verdicts(self, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        return bare_scores_frame(self._store.steps())

    def _extent_ns(self) -> tuple[int, int] | None:
        tables: tuple[TableName, ...] = ("requests", "samples", "messages")
        times = [times_ns(batch.column("time")) for table in tables for batch in self._store.batches(table)]
        if not times:
            return None
        newest_ns = max(int(time.max()) for time in times)
        now_ns = SystemClock().now_ns() if self.running and not self._once else newest_ns
        return min(int(time.min()) for time in times), max(newest_ns, now_ns) + 1

    def _changes(self) -> list[AlertChange]:
        return self._store.changes()

    def _marks(self) -> tuple[PlacedMark, ...]:
        return self._store.marks


def _command_of(body: Mapping[str, object]) -> Command:
    return decode_command(msgspec.json.encode(dict(body)).decode())

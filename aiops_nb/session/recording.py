"""A recording as DataFrames: rows from disk, and what the pipeline makes of them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from aiops_nb.config import Config
from aiops_nb.config.recorded import recorded_config
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.labels import LabelLine
from aiops_nb.core.moments import Moment, covered_range_ns, known_targets
from aiops_nb.core.quantities import format_duration
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import AlertChange, Step
from aiops_nb.engine.silenced import silences_of
from aiops_nb.frames.base import FrameAccess
from aiops_nb.frames.html import summary_html
from aiops_nb.frames.noise import Noise, noise_of
from aiops_nb.monitor.answering.choices import silences_frame
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.notifications.stream import Events, events_of, notices_of, planned_frame, planned_rows
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.run import Deliver
from aiops_nb.notify.dispatch import Dispatcher
from aiops_nb.notify.params import NotifyParams
from aiops_nb.record.files import read_limited
from aiops_nb.record.format import LABELS, Manifest
from aiops_nb.record.reader import RecordingReader

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.view.dashboard import Dashboard

LABEL_COLUMNS = ("kind", "target", "start", "end")


class Recording(FrameAccess):
    """A recording opened for reading, also while it is being written.

    Rows come from disk. Features, scores and alerts are derived by replaying the rows with the parameters they were
    recorded with; the last derivation is kept.

    Parameters
    ----------
    path
        The directory.
    repair
        Whether to seal what a writer that died left behind.
    trust
        Whether its rules may run estimators of other libraries.

    Attributes
    ----------
    reader
        The raw tables and items.
    """

    def __init__(self, path: str | Path, *, repair: bool = False, trust: bool = False) -> None:
        self.path = Path(path)
        self.reader = RecordingReader(path, repair=repair, trust=trust)
        self._derived: _Derived | None = None
        self._shown: Monitor | None = None
        self._shown_extent_ns: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"<Recording {self.path.name}: {self._rows_in_words()}{', being written' if self.is_live else ''}>"

    def _repr_html_(self) -> str:
        facts = {"rows": self._rows_in_words()}
        if (bounds := self.time_range) is not None:
            first, last = bounds
            span = format_duration((last - first).total_seconds())
            facts["time (UTC)"] = f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} ({span})"
        if self.is_live:
            facts["state"] = "being written"
        facts["next"] = ".requests(), .alerts(), .features() are DataFrames; replay(recording) plays it again"
        return summary_html(f"Recording {self.path.name}", facts, self.repairs, None)

    def _rows_in_words(self) -> str:
        counts = self.reader.row_counts.items()
        return ", ".join(f"{count:,} {table}" for table, count in counts if count and table != "control") or "no rows"

    @property
    def manifest(self) -> Manifest:
        """Format version, versions of the writer, when it was made."""
        return self.reader.manifest

    @property
    def config(self) -> Config:
        """The configuration of its latest run; references in it are never resolved."""
        return recorded_config(self.reader.config_yaml, f"{self.path}/config.yaml", trust=self.reader.trusted)

    @property
    def repairs(self) -> tuple[str, ...]:
        """What had to be repaired, a sentence each."""
        return self.reader.repairs

    @property
    def unreadable(self) -> tuple[Path, ...]:
        """The files whose rows are missing because they cannot be read, as far as they have been met."""
        return self.reader.unreadable

    @property
    def is_live(self) -> bool:
        """Whether a writer is at work now."""
        return self.reader.is_live

    @property
    def time_range(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """[start, end) of the rows, UTC; None if there are none."""
        bounds = self.reader.time_range_ns
        return None if bounds is None else (_stamp(bounds[0]), _stamp(bounds[1]))

    def targets(self) -> list[str]:
        """Names of all targets of requests and samples, in order of their first row."""
        tables: tuple[TableName, ...] = ("requests", "samples")
        blocks = (block for table in tables for block in self.reader.blocks(table))
        return list(dict.fromkeys(name for block in blocks for name in block.column("target").unique().to_pylist()))

    def known_targets(self, targets: str | Sequence[str] | None) -> list[str]:
        """The recorded targets that `targets` names, `*/checkout` being a pattern; empty where it names none.

        Raises
        ------
        ConfigError
            For one that was not recorded, with those that are near.
        """
        return known_targets(targets, self.targets()) if targets else []

    def covered_range_ns(self, start: Moment, end: Moment) -> tuple[int | None, int | None]:
        """[start, end) in UTC nanoseconds, of a range in which something is recorded; None is open.

        Raises
        ------
        ConfigError
            If it is no range, or nothing is recorded in it: the message names the recorded range.
        """
        return covered_range_ns(start, end, self.reader.time_range_ns)

    def warnings(self) -> list[str]:
        """What a reader should know, a sentence each: repairs, and rules that could not be judged at its end."""
        problems = self._derive(None, None, any_ticks=True).problems
        return [*self.repairs, *(f"{part}: {text}" for part, text in problems.items())]

    def labels(self) -> pd.DataFrame:
        """Labelled faults, the truth about the recording: kind, target, start, end (UTC)."""
        import pandas as pd

        frame = pd.DataFrame(_label_lines(self.path / LABELS), columns=list(LABEL_COLUMNS))
        for name in ("start", "end"):
            try:
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
            except ValueError as problem:
                raise RecordingError(f"{self.path / LABELS}: {name}: expected RFC 3339, got {problem}") from None
        return frame

    def notifications(self, notify: NotifyParams | None = None) -> pd.DataFrame:
        """Which notifications a run of this recording sends: nothing is sent, and no clock is read.

        Parameters
        ----------
        notify
            Routes, waits and channels to try out; None: those of the recorded configuration.

        Returns
        -------
        pandas.DataFrame
            A row for each channel and message, as `monitor.notifications()` has it: channel, kind, alertname, target,
            severity, summary, group, fingerprint, episode_at and due_at (UTC).
        """
        return planned_frame(self._planned(notify))

    def noise(self, notify: NotifyParams | None = None) -> Noise:
        """How noisy alerting is in this recording: by day, rule, target and channel, with a chart (`plot`).

        Parameters
        ----------
        notify
            Routes, waits and channels to try out; None: those of the recorded configuration.
        """
        return noise_of(self._changes(), self._planned(notify))

    def dashboard(self) -> Dashboard:
        """The recording in the dashboard of a live monitor: it fills while the rows are read, with a progress bar.

        It is replayed once, in the background, as fast as it goes; another dashboard of this recording shows the same
        replay. Choose the time range and page through it with the buttons; an alert that is selected moves the charts.

        Returns
        -------
        Dashboard
            To be the last line of a cell; `close()` ends it.
        """
        extent_ns = self.reader.time_range_ns
        if self._shown is None or self._shown_extent_ns != extent_ns:  # a live recording has grown since

            def make_run(deliver: Deliver) -> ReplayRun:
                items, trust = self.reader.joined_items, self.reader.trusted
                return ReplayRun(items, None, deliver, math.inf, time_range_ns=extent_ns, trust=trust)

            title = self.path.resolve().name
            self._shown = Monitor(make_run, self.repairs, once=True, mode="replay", title=title)
            self._shown_extent_ns = extent_ns
            dashboard = self._shown.dashboard()  # before the first step, so that it sees them all
            self._shown.start()
            return dashboard
        return self._shown.dashboard()

    def _planned(self, notify: NotifyParams | None) -> list[dict[str, object]]:
        params = notify or self.config.notify or NotifyParams()
        dispatcher = Dispatcher(params)
        events = self._derive(None, None, any_ticks=True).events
        notices = [notice for one in events for notice in notices_of(dispatcher, one)]
        return planned_rows([*notices, *dispatcher.finish()], params)

    def silences(self) -> pd.DataFrame:
        """All silences of the recording: id, state at its end, matchers, times in UTC, author, reason, ended_by."""
        extent_ns = self._extent_ns()
        return silences_frame(silences_of(self.reader.blocks("control")), 0 if extent_ns is None else extent_ns[1])

    def _batches(self, table: TableName, start_ns: int | None, end_ns: int | None) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = self.reader.table(table, start_ns=start_ns, end_ns=end_ns).to_batches()
        return batches

    def _extent_ns(self) -> tuple[int, int] | None:
        return self.reader.time_range_ns

    def _steps(self, start_ns: int | None, end_ns: int | None) -> Sequence[Step]:
        return self._derive(start_ns, end_ns).steps

    def _changes(self) -> Sequence[AlertChange]:
        return self._derive(None, None, any_ticks=True).changes

    def _derive(self, start_ns: int | None, end_ns: int | None, *, any_ticks: bool = False) -> _Derived:
        wanted = start_ns, end_ns, self.reader.time_range_ns
        if self._derived is None or (
            self._derived.covers != wanted and not (any_ticks and self._derived.is_of(wanted))
        ):
            derived = _Derived(wanted)
            run = ReplayRun(self.reader.joined_items, None, derived.write, trust=self.reader.trusted)
            run.start()
            derived.problems = run.problems()
            self._derived = derived  # only once it is whole: a replay that failed must fail again
        return self._derived


Wanted = tuple[int | None, int | None, tuple[int, int] | None]


class _Derived:
    """What a replay made: all alert changes, and the ticks within a range."""

    def __init__(self, covers: Wanted) -> None:
        self.covers = covers
        self.steps: list[Step] = []
        self.changes: list[AlertChange] = []
        self.events: list[Events] = []
        self.problems: dict[str, str] = {}

    def is_of(self, wanted: Wanted) -> bool:
        """Whether it was made of the same rows; the alerts are the same whatever the range."""
        return self.covers[2] == wanted[2]

    def write(self, step: Step) -> None:
        self.changes += step.changes
        events = events_of(step)
        if events:
            self.events.append(events)
        start_ns, end_ns, _ = self.covers
        step.ticks = [
            tick
            for tick in step.ticks
            if (start_ns is None or tick.features.end_ns >= start_ns)
            and (end_ns is None or tick.features.end_ns < end_ns)
        ]
        if step.ticks:
            self.steps.append(Step(step.item, step.ticks))


def _stamp(time_ns: int) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(time_ns, unit="ns", tz="UTC")


def _label_lines(path: Path) -> list[dict[str, str]]:
    if not os.path.lexists(path):
        return []
    try:
        lines = [msgspec.json.decode(line, type=LabelLine) for line in read_limited(path).splitlines() if line.strip()]
        return [msgspec.to_builtins(line) for line in lines]
    except (OSError, ValueError, RecursionError) as problem:
        raise RecordingError(f"{path}: expected one label per line (a JSON object), got {problem}") from None


def open_recording(path: str | Path, *, repair: bool = False, trust: bool = False) -> Recording:
    """Open a recording for reading; nothing is written, unless `repair` is set.

    It may come from somebody else: no link is followed, references in its configuration are not resolved, and a file
    that cannot be read is left out and named in `repairs`.

    Parameters
    ----------
    path
        Its directory.
    repair
        Whether to seal what a writer that died left behind; else its rows are read as they are.
    trust
        Whether its rules may run estimators of scikit-learn, PyOD or river, which are classes that it names; else what
        is derived from its rows (features, scores, alerts) is refused if a rule does.

    Returns
    -------
    Recording
        Its tables, features, scores and alerts as DataFrames.

    Raises
    ------
    RecordingError
        If it is not a recording.
    FormatVersionError
        If a newer version wrote it.

    Examples
    --------
    >>> open_recording("/nowhere")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.RecordingError: ...
    """
    return Recording(path, repair=repair, trust=trust)

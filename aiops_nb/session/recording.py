"""A recording as DataFrames: rows from disk, and what the pipeline makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from aiops_nb.config import Config
from aiops_nb.config.recorded import recorded_config
from aiops_nb.core.labels import MarkLog, PlacedMark
from aiops_nb.core.moments import Moment, covered_range_ns, known_targets
from aiops_nb.core.quantities import format_duration
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.core.types import AlertChange, FeatureTableName, Step
from aiops_nb.engine.silenced import silences_of
from aiops_nb.frames.base import FrameAccess
from aiops_nb.frames.build import features_frame, scores_frame
from aiops_nb.frames.derived import changes_of, frame_of
from aiops_nb.frames.html import summary_html
from aiops_nb.frames.noise import Noise, noise_of
from aiops_nb.frames.rows import rows_frame
from aiops_nb.monitor.answering.choices import silences_frame
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.notifications.stream import Events, events_of, notices_of, planned_frame, planned_rows
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.run import Deliver
from aiops_nb.notify.dispatch import Dispatcher
from aiops_nb.notify.params import NotifyParams
from aiops_nb.record.derived.store import CHANGES, SCORES, features_name
from aiops_nb.record.format import LABELS, Manifest
from aiops_nb.record.reader import RecordingReader
from aiops_nb.session.derived_access import DerivedAccess, Wanted
from aiops_nb.session.labels import Labels
from aiops_nb.session.verification import COLUMNS as COMPARED

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.frames.summary import SessionSummary
    from aiops_nb.view.dashboard import Dashboard


class Recording(FrameAccess):
    """A recording opened for reading, also while it is being written.

    Rows come from disk. Features, scores and alerts are read from the tables that the live run kept next to them; where
    there are none, or they are not of these rows and this version, they are derived by replaying the rows with the
    parameters they were recorded with, and kept in the user's cache directory.

    Parameters
    ----------
    path
        The directory.
    repair
        Whether to seal what a writer that died left behind.
    trust
        Whether its rules may run estimators of other libraries.
    derived
        Whether derived tables are read and kept; else each question replays the rows.

    Attributes
    ----------
    reader
        The raw tables and items.
    derived
        The tables derived from it.
    """

    def __init__(self, path: str | Path, *, repair: bool = False, trust: bool = False, derived: bool = True) -> None:
        self.path = Path(path)
        self.reader = RecordingReader(path, repair=repair, trust=trust)
        self.derived = DerivedAccess(self.reader, keeps=derived)
        self._planned_from: tuple[tuple[int, int] | None, list[Events]] | None = None
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
        """Names of all targets of requests and samples, in order of their first row.

        Returns
        -------
        list of str
            Each once.
        """
        tables: tuple[TableName, ...] = ("requests", "samples")
        blocks = (block for table in tables for block in self.reader.blocks(table))
        return list(dict.fromkeys(name for block in blocks for name in block.column("target").unique().to_pylist()))

    def known_targets(self, targets: str | Sequence[str] | None) -> list[str]:
        """The recorded targets that `targets` names, `*/checkout` being a pattern; empty where it names none.

        Parameters
        ----------
        targets
            Names or patterns.

        Returns
        -------
        list of str
            In the order of their first row.

        Raises
        ------
        ConfigError
            For one that was not recorded, with those that are near.
        """
        return known_targets(targets, self.targets()) if targets else []

    def covered_range_ns(self, start: Moment, end: Moment) -> tuple[int | None, int | None]:
        """[start, end) in UTC nanoseconds, of a range in which something is recorded; None is open.

        Parameters
        ----------
        start, end
            Moments; None: the ends of the data.

        Returns
        -------
        tuple of int or None
            Both ends.

        Raises
        ------
        ConfigError
            If it is no range, or nothing is recorded in it: the message names the recorded range.
        """
        return covered_range_ns(start, end, self.reader.time_range_ns)

    def warnings(self) -> list[str]:
        """What a reader should know, a sentence each: repairs, and rules that could not be judged at its end.

        Returns
        -------
        list of str
            A sentence each; empty while all is well.
        """
        problems = self.derived.tables(Wanted(CHANGES)).problems
        return [*self.repairs, *(f"{part}: {text}" for part, text in problems.items())]

    def verify(self) -> pd.DataFrame:
        """Derive features, scores and alerts again from the rows, and compare them with what is kept, to the byte.

        Nothing is written, and no more than a few segments are in memory.

        Returns
        -------
        pandas.DataFrame
            A row for each derived table: `table`, `rows` that are equal, `is_equal`, and `difference`, the first one:
            its row, time and column, and both values. Empty where nothing is kept.
        """
        import pandas as pd

        verified = self.derived.verify()
        return pd.DataFrame(columns=list(COMPARED)) if verified is None else verified

    @property
    def labels(self) -> Labels:
        """What people know about it: `labels.to_frame()`, `labels.add(...)`, `labels.judge(alert, "noise")`."""
        return Labels(self.path / LABELS, lambda: self._alerts(None, None), self._end_ns)

    def _end_ns(self) -> int | None:
        extent_ns = self._extent_ns()
        return None if extent_ns is None else extent_ns[1]

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

    def summary(self, *, start: Moment = None, end: Moment = None) -> SessionSummary:
        """The statistics of the session: requests, errors and percentiles of each target, clients, worst minutes.

        Parameters
        ----------
        start, end
            Half-open range, as in `requests`.

        Returns
        -------
        SessionSummary
            DataFrames, which a notebook shows as tables and `print` as text.

        Raises
        ------
        ConfigError
            If it is no range.
        """
        from aiops_nb.frames.summary import session_summary

        return session_summary(self.requests(start=start, end=end))

    def noise(self, notify: NotifyParams | None = None) -> Noise:
        """How noisy alerting is in this recording: by day, rule, target and channel, with a chart (`plot`).

        Parameters
        ----------
        notify
            Routes, waits and channels to try out; None: those of the recorded configuration.

        Returns
        -------
        Noise
            Tables and a chart.
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
            self._shown = Monitor(make_run, self.repairs, once=True, mode="replay", title=title, replayed=self.path)
            self._shown_extent_ns = extent_ns
            dashboard = self._shown.dashboard()  # before the first step, so that it sees them all
            self._shown.start()
            return dashboard
        return self._shown.dashboard()

    def _planned(self, notify: NotifyParams | None) -> list[dict[str, object]]:
        params = notify or self.config.notify or NotifyParams()
        if not params.channels:  # nobody would be notified; what follows replays the recording
            return []
        dispatcher = Dispatcher(params)
        notices = [notice for one in self._events() for notice in notices_of(dispatcher, one)]
        return planned_rows([*notices, *dispatcher.finish()], params)

    def silences(self) -> pd.DataFrame:
        """All silences of the recording: id, state at its end, matchers, times in UTC, author, reason, ended_by.

        Returns
        -------
        pandas.DataFrame
            A row per silence.
        """
        extent_ns = self._extent_ns()
        return silences_frame(silences_of(self.reader.blocks("control")), 0 if extent_ns is None else extent_ns[1])

    def _events(self) -> list[Events]:
        """What notifications are planned from; kept while the rows are the same."""
        rows = self.reader.time_range_ns
        if self._planned_from is None or self._planned_from[0] != rows:
            found: list[Events] = []

            def keep(step: Step) -> None:
                found.extend(events for events in [events_of(step)] if events)

            ReplayRun(self.reader.joined_items, None, keep, trust=self.reader.trusted).start()
            self._planned_from = rows, found
        return self._planned_from[1]

    def iter_requests(self, *, start: Moment = None, end: Moment = None) -> Iterator[pd.DataFrame]:
        """Requests in frames of some 65,000 rows, in the order of their arrival: for recordings longer than the memory.

        Parameters
        ----------
        start, end
            As for `requests`.

        Yields
        ------
        pandas.DataFrame
            With the columns of `requests`; categories are those of its own rows.
        """
        for batch in self._batches("requests", *self.range_ns(start, end)):
            yield rows_frame("requests", [batch], batch.num_rows)

    def requests_reader(self, *, start: Moment = None, end: Moment = None) -> pa.RecordBatchReader:
        """Requests as a stream of Arrow batches, read from disk as they are asked for.

        Parameters
        ----------
        start, end
            As for `requests`.

        Returns
        -------
        pyarrow.RecordBatchReader
            To be read once; `seq` is the place of the recorded item.
        """
        blocks = self._batches("requests", *self.range_ns(start, end))
        return pa.RecordBatchReader.from_batches(TABLES["requests"], blocks)

    def requests_relation(self, connection: Connection, *, start: Moment = None, end: Moment = None) -> Any:
        """Requests as a DuckDB relation: each query reads from disk what it needs, and nothing is held.

        Parameters
        ----------
        connection
            Where it is made, such as `duckdb.connect()`.
        start, end
            As for `requests`.

        Returns
        -------
        duckdb.DuckDBPyRelation
            To be queried as often as one likes.
        """
        return connection.from_arrow(_Stream(lambda: self.requests_reader(start=start, end=end)))

    def _batches(self, table: TableName, start_ns: int | None, end_ns: int | None) -> Iterator[pa.RecordBatch]:
        return self.reader.blocks(table, start_ns=start_ns, end_ns=end_ns)

    def _extent_ns(self) -> tuple[int, int] | None:
        return self.reader.time_range_ns

    def _features(self, table: FeatureTableName, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        pieces = self.derived.pieces(Wanted(features_name(table), start_ns, end_ns))
        frame = frame_of(pieces, start_ns, end_ns)
        return features_frame(table, []) if frame is None else frame

    def _verdicts(self, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        frame = frame_of(self.derived.pieces(Wanted(SCORES, start_ns, end_ns)), start_ns, end_ns)
        return scores_frame([]) if frame is None else frame

    def _marks(self) -> Sequence[PlacedMark]:
        log = MarkLog()
        for block in self.reader.blocks("control"):
            log.take(block)
        return log.marks

    def _changes(self) -> Sequence[AlertChange]:
        return [change for piece in self.derived.pieces(Wanted(CHANGES)) for change in changes_of(piece)]


class Connection(Protocol):
    """What is needed of a DuckDB connection; DuckDB itself is the caller's."""

    def from_arrow(self, arrow_object: object) -> Any:
        """A relation over a stream of Arrow batches."""
        ...


class _Stream:
    """What DuckDB asks for a new stream of rows at each query."""

    def __init__(self, make: Callable[[], pa.RecordBatchReader]) -> None:
        self._make = make

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._make().__arrow_c_stream__(requested_schema)


def _stamp(time_ns: int) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(time_ns, unit="ns", tz="UTC")


def open_recording(path: str | Path, *, repair: bool = False, trust: bool = False, derived: bool = True) -> Recording:
    """Open a recording for reading; nothing is written into it, unless `repair` is set.

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
    derived
        Whether features, scores and alerts are read from tables that were derived earlier on this machine by this user
        (those of others are never used), and are kept in the user's cache directory when they have to be derived now,
        at most 2 GB for a recording and 4 GB in all. False replays the rows for each question.

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
    return Recording(path, repair=repair, trust=trust, derived=derived)

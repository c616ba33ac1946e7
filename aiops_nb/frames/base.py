"""What a monitor and a recording have in common: everything exports as DataFrames."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import PlacedMark
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.core.quantities import parse_duration
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, FeatureTableName
from aiops_nb.features.catalog import FEATURES
from aiops_nb.frames.alert_choice import AlertChoice, chosen_alert
from aiops_nb.frames.build import REASONS, alerts_frame, marks_frame, with_reasons
from aiops_nb.frames.messages import messages_frame, templates_frame
from aiops_nb.frames.rows import rows_frame
from aiops_nb.rules.evidence import evidence_of
from aiops_nb.rules.message.evidence import message_rows
from aiops_nb.rules.message.judge import MESSAGE_RULE_DETECTOR

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.frames.moved_frame import MovedFrame
    from aiops_nb.frames.plot import Picture

MARKED_BEFORE_NS = 1_800 * NS_PER_SECOND
LATELY_NS = 300 * NS_PER_SECOND
EVIDENCE_BEFORE_NS, EVIDENCE_AFTER_NS = 30 * NS_PER_SECOND, 10 * NS_PER_SECOND


class FrameAccess(ABC):
    """DataFrames of a stream: rows as they came, and what was made of them.

    `start` and `end` bound the `time` of the rows to [start, end). Each is a time (RFC 3339, a date, a datetime, `now`,
    `yesterday`; without a zone UTC) or a duration, counted as in a Python slice: `-5m` from the end of the data, `5m`
    from its beginning.
    """

    @abstractmethod
    def _batches(self, table: TableName, start_ns: int | None, end_ns: int | None) -> Iterable[pa.RecordBatch]: ...

    @abstractmethod
    def _features(self, table: FeatureTableName, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        """Features of a range, or of more."""
        ...

    @abstractmethod
    def _verdicts(self, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
        """Scores of a range, or of more; their reasons in words, or not yet (see `bare_scores_frame`)."""
        ...

    @abstractmethod
    def _changes(self) -> Sequence[AlertChange]: ...

    @abstractmethod
    def _marks(self) -> Sequence[PlacedMark]: ...

    @abstractmethod
    def _extent_ns(self) -> tuple[int, int] | None: ...

    def range_ns(self, start: Moment = None, end: Moment = None) -> tuple[int | None, int | None]:
        """The half-open range [start, end) in UTC nanoseconds; durations count from the ends of the data.

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        tuple of int or None
            Both ends; None is open.
        """
        return range_ns(start, end, self._extent_ns)

    def requests(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Requests: time, source, origin, target, method, status_code, duration_seconds, error_type, phases, ...

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per request, in order of arrival.
        """
        return self._rows("requests", start, end)

    def samples(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Samples: time, source, target, metric, value (in the metric's unit).

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per sample, in order of arrival.
        """
        return self._rows("samples", start, end)

    def messages(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Messages: time, source, target, severity, text, template (`<*>` for each parameter), template_id.

        Templates are those of all messages up to `end`, of a live monitor of those that it keeps.

        Parameters
        ----------
        start, end
            Half-open range, as in `requests`.

        Returns
        -------
        pandas.DataFrame
            A row for each message, in order of arrival.

        Raises
        ------
        ConfigError
            If it is no range.
        """
        bounds = self.range_ns(start, end)
        return _between(messages_frame(self._batches("messages", None, bounds[1])), *bounds)

    def templates(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Templates of messages, the most frequent first: source, template, template_id, count, first, last, severity.

        `severity` is the worst of its lines, `example` the last of them. The counts add up to the messages.

        Parameters
        ----------
        start, end
            Half-open range, as in `requests`.

        Returns
        -------
        pandas.DataFrame
            A row for each template.

        Raises
        ------
        ConfigError
            If it is no range.
        """
        return templates_frame(self.messages(start=start, end=end))

    def _rows(self, table: TableName, start: Moment, end: Moment) -> pd.DataFrame:
        bounds = self.range_ns(start, end)
        return _between(rows_frame(table, self._batches(table, *bounds)), *bounds)

    def features(
        self, table: FeatureTableName = "requests", *, start: Moment = None, end: Moment = None
    ) -> pd.DataFrame:
        """Features of `requests`, `overall` (all targets), `slo`, `samples` or `clients`: a row per window and series.

        `time` is the window's end. `clients` lists the busiest of each window, and all together as `__all__`.

        Parameters
        ----------
        table
            Which table of features.
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per window and series: `time`, what names the series, and a column per feature.

        Raises
        ------
        ConfigError
            If there is no such table.
        """
        if table not in FEATURES:
            raise ConfigError.at("table", f"one of {', '.join(FEATURES)}", table)
        bounds = self.range_ns(start, end)
        return _between(self._features(table, *bounds), *bounds)

    def scores(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Verdicts: one row per closed window, series and rule, with score, expected value and band.

        What is anomalous says why: `contributions` (JSON, shares of the raw score by cause), `phase` (the part
        of a latency that grew most) and `summary`, all in one sentence; null elsewhere.

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per window, series and rule.
        """
        return _in_words(self._bare_scores(start, end))

    def _bare_scores(self, start: Moment, end: Moment) -> pd.DataFrame:
        bounds = self.range_ns(start, end)
        return _between(self._verdicts(*bounds), *bounds)

    def alerts(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """Alerts: one row per episode, oldest first; `start` and `end` bound when it was first seen (`pending_at`).

        `state`, `severity`, `alertname`, `target` and `summary` come first; a notebook shows these and the times.

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per episode, with its labels, times in UTC, value, expected value, band and outcome.
        """
        from aiops_nb.frames.alerts import AlertsFrame

        return AlertsFrame(self._alerts(start, end))

    def _alerts(self, start: Moment, end: Moment) -> pd.DataFrame:
        return _between(alerts_frame(self._changes()), *self.range_ns(start, end), column="pending_at")

    def evidence(self, alert: AlertChoice) -> pd.DataFrame:
        """The rows that prove an alert, from 30 s before it was first seen to 10 s after its end.

        Parameters
        ----------
        alert
            The number of a row of `alerts()` (-1: the last), a fingerprint or an alertname (of either the newest
            episode), a row of `alerts()`, or an element of `firing()`.

        Returns
        -------
        DataFrame
            Of a rule on messages: the messages of its target. Of a rule on rows: the requests of its target.
            Of a rule on a source: its requests whose times lie there. Of
            a rule on clients: the requests of the client, at its target. Of a detector: its scores with the expected
            band. Of a group of targets: those of all of them.

        Raises
        ------
        ConfigError
            If there is no such alert; the message names those that there are.
        """
        import pandas as pd

        alert = chosen_alert(self._alerts(None, None), alert)
        last: Any
        start = pd.Timestamp(alert["pending_at"]) - pd.Timedelta(EVIDENCE_BEFORE_NS, "ns")
        last = alert["ends_at"] if pd.notna(alert["ends_at"]) else alert["starts_at"]
        end = pd.Timestamp(last if pd.notna(last) else alert["pending_at"]) + pd.Timedelta(EVIDENCE_AFTER_NS, "ns")
        if alert["detector"] == MESSAGE_RULE_DETECTOR:
            own = message_rows(alert, lambda: self.messages(start=start, end=end))
            return own.reset_index(drop=True)
        rows = evidence_of(alert).rows(
            alert,
            lambda: self.requests(start=start, end=end),
            lambda: self._bare_scores(start, end),
        )
        return _in_words(rows.reset_index(drop=True))

    def marks(self, *, start: Moment = None, end: Moment = None) -> pd.DataFrame:
        """What was marked, such as deployments, by time: time, text, target (empty: all), author, id.

        Parameters
        ----------
        start, end
            Moments, such as `"-1h"`, a date or a Timestamp; None: the ends of the data.

        Returns
        -------
        pandas.DataFrame
            A row per mark.
        """
        return _between(marks_frame(self._marks()), *self.range_ns(start, end))

    def what_moved(self, start: Moment = None, end: Moment = None, *, before: float | str = "30m") -> MovedFrame:
        """Series that left their own baseline in a range, the furthest first, with the time at which each began to.

        The baseline of a series is its median in the time before the range, its unit the median absolute deviation
        there. The same measure of stretches before the range says how far series of this data go by chance.

        Parameters
        ----------
        start, end
            The range, as for `requests`; None: the last 5 minutes.
        before
            How much time before the range makes the baseline, `"30m"` or seconds.

        Returns
        -------
        MovedFrame
            The marks since 30 min before the range, then a row for each series and feature: table, target, metric
            (or feature), change (`up`, `down`, `new`, `gone`),
            medians `before` and `during`, `distance` (sustained, in deviations), `onset` (end of the first window away
            from the baseline), `calm_until` (end of the one before), `is_clear` (further than by chance). Its `verdict`
            says how many clearly moved, or that it is not clear.

        Raises
        ------
        ConfigError
            If it is no range.
        """
        extent = self._extent_ns() or (0, 0)
        start_ns, end_ns = self.range_ns(start, end)
        last_ns = extent[1] if end_ns is None else end_ns
        first_ns = last_ns - LATELY_NS if start_ns is None else start_ns
        return self._moved_between(first_ns, last_ns, before)

    def also_moved(self, alert: AlertChoice, *, before: float | str = "30m") -> MovedFrame:
        """What else moved when an alert began: `what_moved` from 5 min before it was first seen to its end.

        The series of the alert itself is left out. Of a long alert the first 15 min count; where there is little
        history, a third of it makes the 5 min.

        Parameters
        ----------
        alert
            As for `evidence`.
        before
            As for `what_moved`.

        Returns
        -------
        MovedFrame
            A row per series that moved, the most first.

        Raises
        ------
        ConfigError
            If there is no such alert.
        """
        from aiops_nb.frames.moved import range_of_alert, without_alert

        chosen = chosen_alert(self._alerts(None, None), alert)
        start_ns, end_ns = range_of_alert(chosen, self._extent_ns() or (0, 0))
        return without_alert(self._moved_between(start_ns, end_ns, before), chosen)

    def _moved_between(self, start_ns: int, end_ns: int, before: float | str) -> MovedFrame:
        from aiops_nb.frames.moved import moved_frame

        seconds = parse_duration(before) if isinstance(before, str) else float(before)
        if not seconds or not 0 < seconds < math.inf:
            raise ConfigError.at("before", "a duration > 0 such as 30m", before)
        first_ns = start_ns - round(seconds * NS_PER_SECOND)
        marks = [mark for mark in self._marks() if start_ns - MARKED_BEFORE_NS <= mark.time_ns < end_ns]
        return moved_frame(
            lambda table: self._features(table, first_ns, end_ns + 1), start_ns, end_ns, first_ns, marks=marks
        )

    def plot(
        self,
        feature: str | None = None,
        *,
        table: FeatureTableName = "requests",
        targets: str | Sequence[str] | None = None,
        alert: AlertChoice | None = None,
        start: Moment = None,
        end: Moment = None,
    ) -> Picture:
        """A picture for a notebook: a feature by target with its expected band, or what an alert saw.

        Parameters
        ----------
        feature
            A column of `features(table)`; None: the p95 latency of requests, the value of samples.
        table
            `requests` or `samples`.
        targets
            Only these, names or patterns; None: all, of which 12 are drawn.
        alert
            Draws the evidence of this alert in place of a feature; as for `evidence`.
        start, end
            As for `features`.

        Returns
        -------
        Picture
            SVG that a notebook shows and keeps.

        Raises
        ------
        ConfigError
            If there is no such feature, target or alert.
        """
        from aiops_nb.frames.plot import evidence_picture, feature_picture

        if alert is not None:
            row = chosen_alert(self._alerts(None, None), alert)
            return evidence_picture(str(row["alertname"]), self.evidence(alert))
        if table not in ("requests", "samples"):
            raise ConfigError.at("table", "requests or samples", table)
        name = feature or ("value" if table == "samples" else "duration_p95_seconds")
        features = self.features(table, start=start, end=end)
        return feature_picture(features, self._bare_scores(start, end), name, targets)


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    return with_reasons(frame) if REASONS in frame.columns else frame


def _between(frame: pd.DataFrame, start_ns: int | None, end_ns: int | None, column: str = "time") -> pd.DataFrame:
    import pandas as pd

    if start_ns is not None:
        frame = frame[frame[column] >= pd.Timestamp(start_ns, unit="ns", tz="UTC")]
    if end_ns is not None:
        frame = frame[frame[column] < pd.Timestamp(end_ns, unit="ns", tz="UTC")]
    return frame.reset_index(drop=True)

"""What the dashboard shows, in bounded memory: a sink that is quick to write and is read by one pump."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import numpy as np

from aiops_nb.core.columns import times_ns
from aiops_nb.core.labels import MarkLog
from aiops_nb.core.quantities import readable
from aiops_nb.core.schemas import SELF_SOURCE
from aiops_nb.core.types import (
    NS_PER_SECOND,
    AlertChange,
    BoolArray,
    IntArray,
    Item,
    RuleThreshold,
    ScoredFeature,
    SeriesKey,
    Step,
    Tick,
)
from aiops_nb.view.data.alert_log import AlertLog, Evidence
from aiops_nb.view.data.batches import SeriesNumbers, error_name, points_of
from aiops_nb.view.data.episodes import APART_SECONDS, episodes_above
from aiops_nb.view.data.monitor_health import SelfFacts
from aiops_nb.view.data.names import ScreenNames
from aiops_nb.view.data.ring_buffers import History, PointRing, Points, extremes
from aiops_nb.view.data.trends import Trends

MOST_WAITING_ROWS = 200_000
MOST_WAITING_TICKS = 2_000
MOST_WAITING_CHANGES = 10_000
AHEAD_NS = 60 * NS_PER_SECOND
PROOF_ROWS = 8
DRAWN_APART_NS = NS_PER_SECOND // 4  # closer than that, only the quickest and the slowest request are drawn
REQUEST_COLUMNS = ("p95", "expected", "lower", "upper", "anomaly", "rate", "error", "error_anomaly", "score")
LATENCY_ALERT = "latency_p95_anomaly"
HOST_METRICS = ("cpu_ratio", "memory_ratio")
_FEATURES = {"p95": "duration_p95_seconds", "error": "error_ratio"}


class ViewStore:
    """Ring buffers of what the dashboard shows.

    `write` only notes the step under a lock; `advance`, called by the one pump, does the work outside it. Rows are
    taken from the step's batch itself, so that a request is shown before its window closes.

    Parameters
    ----------
    on_write
        Called after each write, in the writer's thread.
    """

    def __init__(self, on_write: Callable[[], None] = lambda: None) -> None:
        self._on_write = on_write
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._last_of_past: Step | None = None
        self._rows = 0
        self._ticks: deque[Tick] = deque(maxlen=MOST_WAITING_TICKS)
        self._changes: deque[AlertChange] = deque(maxlen=MOST_WAITING_CHANGES)
        self.skipped_rows_total = 0
        self.newest_ns = self.oldest_ns = 0
        self._last_end_ns = self._window_ns = 0
        self.series, self.hosts = SeriesNumbers(), SeriesNumbers()
        self.names = ScreenNames(self.series.keys)
        self.requests, self.samples = History(REQUEST_COLUMNS), History(("value",))
        self.points = PointRing()
        self.trends = Trends()
        self.fresh = Points.none()
        self.down: BoolArray = np.zeros(0, np.bool_)
        self.alerts = AlertLog(self._prove)
        self.itself = SelfFacts()
        self.marks = MarkLog()
        self.undelivered: dict[tuple[str, int], str] = {}
        self.thresholds: dict[str, float] = {}
        self.features: dict[str, str] = {}
        self.client_thresholds: tuple[RuleThreshold, ...] = ()

    def write(self, step: Step) -> None:
        """Note one step; constant time."""
        with self._lock:
            if step is not self._last_of_past:
                self._note(step)
        self._on_write()

    def begin_with(self, past: Callable[[], Iterable[Step]]) -> None:
        """Start with what a source kept; call it after `add_sink`: no step is missed, and none is taken twice."""
        with self._lock:
            self._forget_waiting()
            for step in past():
                self._note(step)
                self._last_of_past = step

    def _note(self, step: Step) -> None:
        self._items.append(step.item)
        self._rows += step.item.batch.num_rows
        self._ticks.extend(step.ticks)
        self._changes.extend(step.changes)
        while self._rows > MOST_WAITING_ROWS and len(self._items) > 1:
            dropped = self._items.popleft().batch.num_rows
            self._rows -= dropped
            self.skipped_rows_total += dropped

    def _forget_waiting(self) -> None:
        self._items.clear()
        self._ticks.clear()
        self._changes.clear()
        self._rows = 0

    def close(self) -> None:
        """Nothing to release: what was seen stays readable."""

    def advance(self) -> bool:
        """Take in what was written since the last call; returns whether anything was."""
        with self._lock:
            items, ticks, changes = list(self._items), list(self._ticks), list(self._changes)
            self._forget_waiting()
        for tick in ticks:
            self._take_tick(tick)
        self._take_items(items)
        for change in changes:
            self.alerts.take(change)
        return bool(items)

    # ---- windows

    def _take_tick(self, tick: Tick) -> None:
        self._see_time(tick.features.end_ns)
        if tick.features.table == "requests":
            self._take_requests(tick)
        elif tick.features.table == "samples":
            self._take_samples(tick)
        elif tick.thresholds:
            self.client_thresholds = tick.thresholds
            self.thresholds.update({one.alertname: one.value for one in tick.thresholds})

    def _take_requests(self, tick: Tick) -> None:
        columns = {name: tick.features.column(feature) for name, feature in _FEATURES.items()}
        self._measure_window(tick.features.end_ns)
        columns["rate"] = tick.features.column("count") / self.window_seconds
        self.requests.append(tick.features.end_ns, columns, self.series.of(tick.features.series))
        self.trends.take(rate=columns["rate"], error=columns["error"], p95=columns["p95"])
        for scored in tick.scored:
            self._take_scored(scored)

    def _take_scored(self, scored: ScoredFeature) -> None:
        self.thresholds[scored.alertname] = scored.threshold
        self.features[scored.alertname] = scored.feature
        scores, marked = scored.scores, np.where(scored.is_anomaly, scored.value, np.nan)
        if scored.feature == "duration_p95_seconds":
            band = {"expected": scores.expected, "lower": scores.lower, "upper": scores.upper}
            # several rules may judge the p95: the scores are those of the rule with the slider
            score = {"score": scores.score} if scored.alertname == LATENCY_ALERT else {}
            self.requests.amend({**band, **score, "anomaly": marked}, self.series.of(scored.series))
        elif scored.feature == "error_ratio":
            self.requests.amend({"error_anomaly": marked}, self.series.of(scored.series))

    def episodes_above(self, alertname: str, threshold: float, start_ns: int, end_ns: int) -> int | None:
        """How often the scores of a rule went above a threshold in a range; None where its scores are not kept."""
        if alertname != LATENCY_ALERT:
            return None
        _, columns = self.requests.between(start_ns, end_ns, ("score",))
        apart = round(APART_SECONDS / self.window_seconds)
        return episodes_above(columns["score"], threshold, apart)

    def _measure_window(self, end_ns: int) -> None:
        if 0 < self._last_end_ns < end_ns:
            step_ns = end_ns - self._last_end_ns  # larger than a window after a stop
            self._window_ns = min(self._window_ns or step_ns, step_ns)
        self._last_end_ns = end_ns

    @property
    def window_seconds(self) -> float:
        """Width of the windows; 1 until there are two."""
        return (self._window_ns or NS_PER_SECOND) / NS_PER_SECOND

    def _take_samples(self, tick: Tick) -> None:
        wanted = np.array([key.metric in HOST_METRICS for key in tick.features.series], np.bool_)
        keys = [key for key in tick.features.series if key.metric in HOST_METRICS]
        values = tick.features.column("value")[wanted]
        self.samples.append(tick.features.end_ns, {"value": values}, self.hosts.of(keys))

    # ---- rows

    def _take_items(self, items: list[Item]) -> None:
        for item in items:
            if item.table == "control":
                self.marks.take(item.batch)
            if item.source == SELF_SOURCE and item.table == "samples":
                self.itself.take(item.batch)
            elif item.table in ("control", "samples") and item.batch.num_rows:
                self._see_time(int(times_ns(item.batch.column("time")).max()))
        batches = [item.batch for item in items if item.table == "requests" and item.batch.num_rows]
        parts = [points_of(batch, self.series) for batch in batches]
        rows = Points.joined(parts) if parts else Points.none()
        if parts:
            self._see_times(rows.time_ns)
        self._see_outcomes(rows)
        known = rows.take(~np.isnan(rows.seconds))
        self.fresh = extremes(known, _moments(known))
        self.points.append(self.fresh)

    def _see_times(self, times: IntArray) -> None:
        reference = self.newest_ns or int(np.sort(times)[len(times) // 2])
        self._see_time(int(times.min()))
        self._see_time(int(times[times <= reference + AHEAD_NS].max(initial=0)))

    def _see_time(self, time_ns: int) -> None:
        # a clock from 2099 must not move the picture away from everybody else's rows
        if not self.newest_ns:
            self.newest_ns = self.oldest_ns = time_ns
        elif time_ns <= self.newest_ns + AHEAD_NS:
            self.newest_ns = max(self.newest_ns, time_ns)

    def _see_outcomes(self, rows: Points) -> None:
        missing = len(self.series.keys) - len(self.down)
        self.down = np.concatenate([self.down, np.zeros(missing, np.bool_)])
        self.down[rows.series] = rows.failed  # of several rows of a series the last one stays

    # ---- evidence

    def _prove(self, change: AlertChange) -> Evidence:
        key = SeriesKey(change.labels.get("target", ""), origin=change.labels.get("origin", ""))
        if key not in self.series.keys or change.labels.get("metric") or change.labels.get("client"):
            return ()
        rows = self.points.of(self.series.number(key), change.pending_at_ns - 60 * NS_PER_SECOND)
        rows = rows.take(rows.time_ns <= max(change.time_ns, change.pending_at_ns)).take(slice(-PROOF_ROWS, None))
        columns = zip(rows.time_ns.tolist(), rows.seconds.tolist(), rows.status, rows.error, strict=True)
        return tuple(
            (
                moment_text(time_ns, self.newest_ns, tenths=True),
                readable(seconds, "duration_seconds"),
                error_name(error) or (str(status) if status else "not received"),
            )
            for time_ns, seconds, status, error in columns
        )


def _moments(points: Points) -> IntArray:
    """Number of each row's series and quarter of a second: a dashboard made later reads the whole past at once."""
    _, quarter = np.unique(points.time_ns // DRAWN_APART_NS, return_inverse=True)
    moments: IntArray = points.series * np.int64(quarter.max(initial=0) + 1) + quarter
    return moments


def clock_text(time_ns: int) -> str:
    """Time of day in UTC.

    Examples
    --------
    >>> clock_text(3_661_500_000_000)
    '01:01:01.5'
    """
    return _utc(time_ns).strftime("%H:%M:%S.%f")[:10]


def date_text(time_ns: int) -> str:
    """Date in UTC.

    Examples
    --------
    >>> date_text(3_661_500_000_000)
    '1 Jan 1970'
    """
    moment = _utc(time_ns)
    return f"{moment.day} {moment:%b %Y}"


def moment_text(time_ns: int, now_ns: int, *, tenths: bool = False) -> str:
    """Time of day in UTC, with the date if it is not the day of `now_ns`.

    Examples
    --------
    >>> moment_text(3_661_500_000_000, 7_200_000_000_000), moment_text(3_661_500_000_000, 90_000_000_000_000)
    ('01:01:01', '1 Jan 01:01:01')
    """
    moment, now = _utc(time_ns), _utc(now_ns)
    clock = clock_text(time_ns)[: 10 if tenths else 8]
    if moment.date() == now.date():
        return clock
    year = f" {moment.year}" if moment.year != now.year else ""
    return f"{moment.day} {moment:%b}{year} {clock}"


def _utc(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns / NS_PER_SECOND, UTC)

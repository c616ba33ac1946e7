"""The last minutes of what rules judge, for the charts of messages; bounded in ticks and bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from aiops_nb.core.types import FeatureTable, FloatArray, ScoredFeature, SeriesKey, Tick
from aiops_nb.notify.chart import ChartData, draw
from aiops_nb.notify.message import Message

KEPT_TICKS = 300
KEPT_BYTES = 32 << 20
EVENT_FEATURE = "error_ratio"  # what is drawn for rules that judge rows, not features

Columns = tuple[float, float, float, float]
NOTHING: Columns = (np.nan, np.nan, np.nan, np.nan)


class ChartHistory:
    """Keeps ticks for charts, and draws that of an alert.

    A run without a channel that shows charts keeps none.

    Parameters
    ----------
    kept_bytes
        The most that the arrays of the kept ticks hold.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._ticks: deque[Tick] = deque()
        self._held_bytes = 0
        self._features: dict[str, str] = {}
        self._lock = threading.Lock()
        self.is_wanted = False

    def write(self, ticks: Sequence[Tick]) -> None:
        """Take the ticks of a step; called by the engine, so it copies nothing."""
        for tick in ticks:
            for scored in tick.scored:
                self._features[scored.alertname] = scored.feature
        if not self.is_wanted or not ticks:
            return
        with self._lock:
            for tick in ticks:
                self._ticks.append(tick)
                self._held_bytes += size_bytes(tick)
            while len(self._ticks) > 1 and (len(self._ticks) > KEPT_TICKS or self._held_bytes > self._kept_bytes):
                self._held_bytes -= size_bytes(self._ticks.popleft())

    def feature_of(self, alertname: str) -> str:
        """What the value of a rule's alerts is; empty for rules that judge rows."""
        return self._features.get(alertname, "")

    def drawn(self, message: Message) -> bytes:
        """The chart of an alert as PNG; empty if its series is not known."""
        data = self.data_of(message)
        return b"" if data is None else draw(data)

    def data_of(self, message: Message) -> ChartData | None:
        """The values of the alert's series, with the band and limit of its rule; None if it has no series here."""
        with self._lock:
            ticks = list(self._ticks)
        labels = message.labels
        alertname = labels.get("alertname", "")
        judged = [(tick.features.end_ns, one) for tick in ticks for one in tick.scored if one.alertname == alertname]
        if judged:
            rows = [(end_ns, _judged(scored, _place(scored.series, labels))) for end_ns, scored in judged]
            return _data(judged[-1][1].feature, message, rows)
        tables = [tick.features for tick in ticks if EVENT_FEATURE in tick.features.names]
        tables = [table for table in tables if table.table == "requests"]
        rows = [(table.end_ns, _value(table, _place(table.series, labels))) for table in tables]
        return _data(EVENT_FEATURE, message, rows)


def size_bytes(tick: Tick) -> int:
    """About how much memory the arrays of a tick hold."""
    arrays = [array for scored in tick.scored for array in (scored.value, scored.is_anomaly, *_arrays(scored))]
    return tick.features.values.nbytes + sum(array.nbytes for array in arrays)


def _arrays(scored: ScoredFeature) -> tuple[FloatArray, ...]:
    scores = scored.scores
    return scores.score, scores.expected, scores.lower, scores.upper


def _place(series: Sequence[SeriesKey], labels: Mapping[str, str]) -> int | None:
    key = SeriesKey(*(labels.get(name, "") for name in ("target", "origin", "metric", "client")))
    try:
        return series.index(key)
    except ValueError:
        return None


def _judged(scored: ScoredFeature, place: int | None) -> Columns:
    if place is None or place >= len(scored.value):
        return NOTHING
    _, expected, lower, upper = _arrays(scored)
    return float(scored.value[place]), float(expected[place]), float(lower[place]), float(upper[place])


def _value(table: FeatureTable, place: int | None) -> Columns:
    if place is None:
        return NOTHING
    return (float(table.column(EVENT_FEATURE)[place]), np.nan, np.nan, np.nan)


def _data(feature: str, message: Message, rows: Sequence[tuple[int, Columns]]) -> ChartData | None:
    if len(rows) < 2:
        return None
    value, expected, lower, upper = np.array([columns for _, columns in rows], np.float64).T
    return ChartData(
        feature=feature,
        metric=message.labels.get("metric", ""),
        time_ns=np.array([end_ns for end_ns, _ in rows], np.int64),
        value=value,
        expected=expected,
        lower=lower,
        upper=upper,
        since_ns=message.starts_at_ns,
    )

"""Features of request series over a sliding span of closed windows, and moving statistics over longer horizons."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.growing import capacity_near
from aiops_nb.core.types import BoolArray, FloatArray
from aiops_nb.features.horizons import STATISTICS, Horizons, horizon_names
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.certificates import Certificates
from aiops_nb.features.requests.histogram import MIDDLES, BinnedRows, SlidingHistogram
from aiops_nb.features.requests.overall import Movement
from aiops_nb.features.requests.phases import PHASE_FEATURES, RECENT_PHASE_FEATURES, RequestPhases
from aiops_nb.features.requests.rows import RequestRows, WaitingRequests
from aiops_nb.features.requests.stretch import BinnedWindows, ClosedWindows, WindowTotals, by_window
from aiops_nb.features.requests.totals import ANSWER_FEATURES, QUANTILES, RATIOS, Totals, answers
from aiops_nb.features.silent import Silence

TRENDED = ("rate_hz", "error_ratio", "duration_mean_seconds", "duration_p95_seconds")
_TRENDED_ROWS = np.array([ANSWER_FEATURES.index(name) for name in TRENDED], np.int64)


def request_features(horizons_seconds: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the features of a request series, in order.

    Examples
    --------
    >>> request_features(())[:4], len(request_features((60.0, 300.0))) - len(request_features(()))
    (('count', 'rate_hz', 'error_count', 'span_count'), 32)
    """
    return (
        *ANSWER_FEATURES,
        "silent_seconds",
        "certificate_remaining_seconds",
        "duration_backed_seconds",
        *PHASE_FEATURES,
        *RECENT_PHASE_FEATURES,
        *horizon_names(horizons_seconds, TRENDED),
    )


_ONCE = len(request_features(()))
REQUEST_FEATURES = request_features(WindowParams().horizons_seconds)


def _has_answer(rows: RequestRows) -> BoolArray:
    answered: BoolArray = ~rows.failed & (rows.duration_seconds >= 0)
    return answered


def _answered(rows: RequestRows) -> RequestRows:
    answered = _has_answer(rows)
    return rows if answered.all() else rows.take(answered)


def _with_open(before: BinnedRows, rows: BinnedRows) -> BinnedRows:
    return rows if not len(before[0]) else (np.append(before[0], rows[0]), np.append(before[1], rows[1]))


class RequestFeatures:
    """Turns request rows into the feature matrix of each closed window.

    Latency and phases cover the requests that got an answer: neither a refused connection (fast) nor a timeout (slow)
    says how quick the service is. Memory: about 3 KB a series at a span of 60 windows, 2 KB more where phases are
    known, and 1 KB for each horizon.
    """

    def __init__(self, window: WindowParams) -> None:
        self._capacity = 64
        self._span_ticks, self._tick_seconds = window.span_ticks, window.tick_seconds
        self._closed_ticks = 0
        self._sliding = Totals(self._capacity)
        self._waiting = WaitingRequests()
        self._open: dict[int, Totals] = {}
        self._closed: dict[int, Totals] = {}
        self._kernel = kernel.compiled  # the two keep closed windows in different forms
        self._packed: dict[int, bytes] = {}
        self._horizon_count = len(window.horizons_seconds)
        self._histogram = SlidingHistogram(window.span_ticks, self._capacity)
        self._silence, self._certificates = Silence(window.tick_seconds), Certificates()
        self._phases = RequestPhases(window.span_ticks)
        self._horizons = Horizons(window.horizons_seconds, window.tick_seconds, len(TRENDED))
        self.moved: Movement | None = None

    def add(self, rows: RequestRows) -> None:
        """Take rows of open windows, at least one; they may wait for the end of the window to be counted."""
        self._waiting.add(rows)
        if self._waiting.full:
            self._take_in()

    def _take_in(self) -> None:
        rows = self._waiting.take()
        if rows is not None:
            self._count(rows)

    def _count(self, rows: RequestRows) -> None:
        self._make_room(int(rows.series.max()) + 1)
        first, last = int(rows.window.min()), int(rows.window.max())
        if first == last:
            self._add_window(first, rows)
            return
        for window in np.unique(rows.window).tolist():
            self._add_window(window, rows.take(rows.window == window))

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, self._capacity)
        if capacity == self._capacity:
            return
        self._capacity = capacity
        self._sliding.grow(capacity)
        self._histogram.grow(capacity)
        for totals in self._open.values():
            totals.grow(capacity)

    def _add_window(self, window: int, rows: RequestRows) -> None:
        totals = self._open.get(window)
        if totals is None:
            totals = self._open[window] = Totals(self._capacity)
        if rows.certificate_expires_ns is not None:
            self._certificates.add(window, rows.series, rows.certificate_expires_ns)
        if kernel.compiled is not None and rows.status_code.dtype == np.int16:
            binned = totals.add_compiled(rows)
            if len(binned[0]):
                self._histogram.add_binned(window, binned)
        else:
            totals.add(rows)
            answered = _answered(rows)
            if len(answered.series):
                totals.add_durations(answered.series, answered.duration_seconds)
                self._histogram.add(window, answered.series, answered.duration_seconds)
        if rows.phase_seconds is not None:
            answered = _answered(rows)
            if answered.phase_seconds is not None and len(answered.series):
                self._phases.add(window, answered.series, answered.phase_seconds)

    def close(self, window: int, end_ns: int, count: int) -> FloatArray:
        """Close the next window and give the features of the first `count` series, (k, count)."""
        self._take_in()
        self._make_room(count)
        self._closed_ticks = min(self._closed_ticks + 1, self._span_ticks)  # a young stream has no full span yet
        if self._kernel is not None:
            return self._close_compiled(self._kernel, window, end_ns, count)
        entering = self._open.pop(window, None)
        if entering is not None:
            entering.trim(count)  # the room for series to come is not kept in every closed window
            self._sliding.move(entering, 1)
            self._closed[window] = entering
        leaving = self._closed.pop(window - self._span_ticks, None)
        if leaving is not None:
            self._sliding.move(leaving, -1)
        self.moved = Movement(entering, leaving, *self._histogram.close(window))
        return self._features(window, end_ns, count)

    def _close_compiled(self, compiled: ModuleType, window: int, end_ns: int, count: int) -> FloatArray:
        entering = self._open.pop(window, None)
        if entering is not None:
            entering.cut(count)
        leaving = self._packed.pop(window - self._span_ticks, None)
        rows = self._histogram.move_on(window)
        self._histogram.expect(rows[0][1])
        values = np.empty((_ONCE + len(STATISTICS) * len(TRENDED) * self._horizon_count, count))
        packed, packed_phases = compiled.close_requests(
            values,
            window,
            end_ns,
            self._tick_seconds,
            self._closed_ticks * self._tick_seconds,
            self._sliding.whole(),
            None if entering is None else entering.whole(),
            leaving,
            (*self._histogram.arrays, *rows[0], *rows[1], MIDDLES, RATIOS),
            self._silence.last(count),
            self._certificates.expires(window, count),
            self._phases.move_on(window, count),
        )
        if packed is not None:
            self._packed[window] = packed
        self._phases.keep(window, packed_phases)
        self.moved = Movement(entering, leaving, *rows)
        self._horizons.write(window, values, _TRENDED_ROWS, _ONCE)
        return values

    @property
    def closes_windows(self) -> bool:
        """Whether windows in a row can be closed at once: only by the compiled kernel."""
        return self._kernel is not None and self._kernel is kernel.compiled

    @property
    def most_windows(self) -> int:
        """How many windows can be closed at once."""
        return self._span_ticks

    def close_windows(
        self, window: int, windows: int, end_ns: int, tick_ns: int, rows: RequestRows, count: int
    ) -> tuple[FloatArray, ClosedWindows]:
        """Close windows in a row at once, at most a span of them, with these rows of them; (windows, k, count).

        `end_ns` is the end of the first. All rows are of the first `count` series. Only with the compiled kernel.
        """
        assert self._kernel is not None and windows <= self._span_ticks
        self._take_in()
        self._make_room(count)
        places = range(window, window + windows)
        rows, place = by_window(rows, window)
        totals = WindowTotals(windows, count)
        binned = totals.count(rows, place)
        for at, one in enumerate(places):
            if (counted := self._open.pop(one, None)) is not None:
                totals.add(at, counted)
        entered = [_with_open(self._histogram.take_open(one), binned.at(at)) for at, one in enumerate(places)]
        entering, leaving = BinnedWindows.of(entered), BinnedWindows.of(self._histogram.enter(entered))
        leaving_totals = tuple(self._packed.pop(one - self._span_ticks, None) for one in places)
        ticks = np.minimum(self._closed_ticks + np.arange(1, windows + 1), self._span_ticks)
        self._closed_ticks = int(ticks[-1])
        values = np.empty((windows, _ONCE + len(STATISTICS) * len(TRENDED) * self._horizon_count, count))
        packed, packed_phases = self._kernel.close_request_windows(
            values,
            window,
            end_ns,
            tick_ns,
            self._tick_seconds,
            ticks * self._tick_seconds,
            self._sliding.whole(),
            totals.whole(),
            leaving_totals,
            (*self._histogram.arrays, MIDDLES, RATIOS),
            entering.whole(),
            leaving.whole(),
            self._silence.last(count),
            *self._certificates.move_on_windows(window, windows, count, rows, place),
            self._phases.move_on_windows(window, windows, count, _answered(rows), place[_has_answer(rows)]),
        )
        self._packed.update(zip(places, packed, strict=True))
        for at, one in enumerate(places):
            self._phases.keep(one, None if packed_phases is None else packed_phases[at])
        self._horizons.write_windows(window, values, _TRENDED_ROWS, _ONCE)
        self.moved = Movement(
            totals.at(windows - 1), leaving_totals[-1], *(rows.at(windows - 1) for rows in (entering, leaving))
        )
        return values, ClosedWindows(totals, leaving_totals, entering, leaving)

    def _features(self, window: int, end_ns: int, count: int) -> FloatArray:
        assert self.moved is not None
        slow = self._histogram.quantiles_and_backed(QUANTILES, count)
        seconds = self._closed_ticks * self._tick_seconds
        answered = answers(self.moved.entering, self._sliding, seconds, slow[:-1], count)
        trended = np.stack([answered[row] for row in _TRENDED_ROWS])
        since = [self._silence.close(window, answered[0]), self._certificates.close(window, end_ns, count)]
        once = [*answered, *since, slow[-1]]
        return np.concatenate(
            [np.stack(once), self._phases.close(window, count), self._horizons.close(window, trended)]
        )

"""The charts of a dashboard, kept up to date from a store: only what changed since the last frame is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.events import SelectionGeometry
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.ui import UIElement

from aiops_nb.core.labels import PlacedMark
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.charts.figures import (
    Shared,
    Slot,
    add_line,
    empty_source,
    make_marks,
    make_shared,
    make_slot,
    name_lines,
    slot_classes,
)
from aiops_nb.view.charts.navigation import DEFAULT_SPAN_SECONDS as DEFAULT_SPAN_SECONDS
from aiops_nb.view.charts.navigation import Extent
from aiops_nb.view.charts.navigation import TimeWindow as TimeWindow
from aiops_nb.view.charts.selection import ERROR, FAILING, SHOWN, choose, matching, trouble_of
from aiops_nb.view.data.names import harmless, short_names
from aiops_nb.view.data.series_data import (
    HOST_COLUMNS,
    MOST_POINTS,
    all_points,
    calm_end,
    has_latency,
    host_data,
    line_data,
    point_data,
    rows_after,
    rows_until,
)
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.data.thinning import COLUMNS, thinned

if TYPE_CHECKING:
    import pandas as pd

LEAST_SPAN_MS = 20_000
NS_PER_MS = 1_000_000
MOST_STREAMED = 1000  # rows of a chart that new ones are added to; longer ranges are thinned, and sent again
MOST_COARSE_POINTS = 250
ROUGH_LINES = ("lower", "upper", "rate", "error", "anomaly", "error_anomaly")
MOST_MARKS = 100
RECHOOSE_NS = 3 * NS_PER_SECOND
LEAST_LATENCY_MS, LEAST_RATE_HZ, LEAST_ERROR_PERCENT = 10.0, 1.0, 5.0
FARTHEST_DOT = 3.0  # times the line: a service with a heavy tail would be drawn flat otherwise
HOST_TITLES = {"cpu_ratio": "CPU", "memory_ratio": "Memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A range that was drawn over a chart: [start, end) in UTC, and the targets that the chart shows."""

    start_ns: int
    end_ns: int
    targets: tuple[str, ...]

    @property
    def start(self) -> pd.Timestamp:
        """Start of the range."""
        import pandas as pd

        return pd.Timestamp(self.start_ns, tz="UTC")

    @property
    def end(self) -> pd.Timestamp:
        """End of the range, which is no part of it."""
        import pandas as pd

        return pd.Timestamp(self.end_ns, tz="UTC")


class Board:
    """All charts over one store, on one time axis that `draw` moves to the newest row.

    `window`, the time shown, `filter_text`, which targets may be shown, `focus`, the number of a series that is shown
    in any case, and `alert_ns`, when the selected alert began, may be set from any thread; the next `draw` obeys.
    `on_selection` is called when a person selects a range.

    Examples
    --------
    >>> board = Board(ViewStore())
    >>> board.draw()
    >>> [root.name for root in board.roots][-2:]
    ['chart-cpu', 'chart-memory']
    """

    def __init__(self, store: ViewStore) -> None:
        self._store = store
        self.window = self._window = TimeWindow()
        self.on_selection: Callable[[], None] = lambda: None
        self.filter_text = ""
        self.focus: int | None = None
        self.alert_ns: int | None = None
        self.matched: int | None = None
        self.names: list[str] = []
        self.x_range = Range1d(start=0, end=1, name="time")
        self._marks = marks = make_marks()
        self.selection: Selection | None = None
        self._marks_drawn: tuple[PlacedMark, ...] = ()
        self._slots: list[Slot] = []
        self._rate = make_shared("Requests", "/s", "rate", self.x_range, LEAST_RATE_HZ, marks)
        self._error = make_shared("Errors", "%", "error", self.x_range, LEAST_ERROR_PERCENT, marks)
        charts = {
            metric: make_shared(title, "%", "value", self.x_range, 104.0, marks)
            for metric, title in HOST_TITLES.items()
        }
        for plot in (self._rate.plot, self._error.plot, *(chart.plot for chart in charts.values())):
            plot.on_event(SelectionGeometry, self._selected_in(None))
        self._hosts = {metric: _Hosts(store, metric, chart) for metric, chart in charts.items()}
        self._shown: list[int] = []
        self._chosen_at_ns = -RECHOOSE_NS
        self._chosen_by: tuple[str, int | None, int] = ("", None, 0)
        self._coarse_at_ns = 0
        self._matched_by: tuple[str, int] = ("", 0)
        self._matching: list[int] = []
        self._ticks_drawn = 0
        self._samples_drawn = 0

    @property
    def roots(self) -> list[UIElement]:
        """All charts; more targets bring more."""
        shared = [self._rate.plot, self._error.plot, *(hosts.chart.plot for hosts in self._hosts.values())]
        return [*(slot.latency for slot in self._slots), *shared]

    @property
    def shown_count(self) -> int:
        """How many targets have a chart now."""
        return len(self._shown)

    @property
    def start_ns(self) -> int:
        """Start of the time axis: as long ago as chosen, or where the rows begin."""
        return max(self.end_ns - self._window.span_seconds * NS_PER_SECOND, self._store.oldest_ns)

    @property
    def end_ns(self) -> int:
        """End of the time axis: the newest row, or half a span after the moment that was chosen."""
        newest, moment = self._store.newest_ns, self._window.moment_ns
        return newest if moment is None else min(newest, moment + self._window.span_seconds * NS_PER_SECOND // 2)

    @property
    def extent(self) -> Extent:
        """The times that there are, and the end of what is shown."""
        return Extent(oldest_ns=self._store.oldest_ns, newest_ns=self._store.newest_ns, end_ns=self.end_ns)

    def draw(self) -> None:
        """Bring every chart up to date with the store."""
        store = self._store
        if not store.newest_ns:
            self._mark_selection()
            return
        other_window = self._window != self.window
        if other_window:
            self._start_over(self.window)
        new_ticks = min(store.requests.appended_total - self._ticks_drawn, MOST_STREAMED)
        if self._is_coarse and self._window.moment_ns is None:
            new_ticks = self._when_due(new_ticks)
        before = self._shown
        self._choose()
        for place, series in enumerate(self._shown):
            if place >= len(before) or before[place] != series or (self._is_coarse and new_ticks):
                self._replace(place, series)
            elif self._window.moment_ns is None and not self._is_coarse:
                self._extend(place, series, new_ticks)
        self._ticks_drawn = store.requests.appended_total
        self._draw_hosts(new_ticks)
        self._mark_trouble()
        self._mark_selection()
        self._mark_alert()
        self._draw_marks()
        if other_window or self._window.moment_ns is None or self._shown != before:
            self._move_axes(lines_too=other_window or new_ticks > 0)

    @property
    def _is_coarse(self) -> bool:
        """Whether the range has more windows than are sent one by one."""
        return self._window.span_seconds > MOST_STREAMED * self._store.window_seconds

    def _when_due(self, new_ticks: int) -> int:
        """No new windows until they fill a pixel column."""
        every_ns = self._window.span_seconds * NS_PER_SECOND // COLUMNS
        if self._store.newest_ns - self._coarse_at_ns < every_ns:
            return 0
        self._coarse_at_ns = self._store.newest_ns
        return new_ticks

    def _start_over(self, window: TimeWindow) -> None:
        self._window = window
        self._shown = []
        for hosts in self._hosts.values():
            hosts.shown = []

    # ---- the selected range

    def _selected_in(self, place: int | None) -> Callable[[Any], None]:
        """What follows when a range is drawn over the chart of a place; None: over one that shows all of them."""

        def select(event: Any) -> None:
            box = event.geometry
            if event.final and box.get("type") == "rect" and box["x1"] > box["x0"]:
                start_ns, end_ns = (round(box[side] * NS_PER_MS) for side in ("x0", "x1"))
                shown = self._shown if place is None else self._shown[place : place + 1]
                targets = tuple(self._store.series.keys[series].target for series in shown)
                self.select(Selection(start_ns=start_ns, end_ns=end_ns, targets=targets))

        return select

    def select(self, selection: Selection | None) -> None:
        """Mark a range in every chart; None: no more. From any thread, the next `draw` obeys."""
        self.selection = selection
        self.on_selection()

    def _mark_selection(self) -> None:
        selection, mark = self.selection, self._marks.selection
        if selection is None:
            if mark.visible:
                mark.visible = False
            return
        left, right = selection.start_ns / NS_PER_MS, selection.end_ns / NS_PER_MS
        if (mark.visible, mark.left, mark.right) != (True, left, right):
            mark.update(visible=True, left=left, right=right)

    def show_labels(self, labels: Mapping[str, list[Any]]) -> None:
        """Draw these stretches of time in every chart: start and end (ms), kind, note, target. Called by the pump."""
        self._marks.labels.data = dict(labels)

    def _mark_alert(self) -> None:
        """The start of the selected alert, and of no other moment that the charts show."""
        began, mark = self.alert_ns, self._marks.alert
        location = (began or 0) / NS_PER_MS
        if (mark.visible, mark.location) != (began is not None, location):
            mark.update(visible=began is not None, location=location)

    def _draw_marks(self) -> None:
        """The newest marks; a mark of one target is drawn in all charts: what else moved is seen next to it."""
        marks = self._store.marks.marks[-MOST_MARKS:]
        if marks == self._marks_drawn:
            return
        self._marks_drawn = marks
        self._marks.placed.data = {
            "time": np.array([mark.time_ns / NS_PER_MS for mark in marks]),
            "text": [harmless(mark.text) for mark in marks],
            "target": [harmless(mark.target) or "all" for mark in marks],
        }

    # ---- which targets

    def _choose(self) -> None:
        store = self._store
        asked = (self.filter_text, self.focus, len(store.series.keys))
        due = store.newest_ns - self._chosen_at_ns >= RECHOOSE_NS
        if self._shown and not due and (asked == self._chosen_by or self._full(asked)):
            return
        self._chosen_at_ns = store.newest_ns
        self._chosen_by = asked
        among = self.matching_series() if self.filter_text.strip() else None
        self.matched = None if among is None else len(among)
        chosen = choose(store, self._shown, among, focus=self.focus)
        names = [store.names.of(series) for series in chosen]
        if chosen != self._shown or names != self.names:
            self._shown = chosen
            self._name(names)

    def matching_series(self) -> list[int]:
        """Numbers of the series that the filter lets through."""
        count = len(self._store.series.keys)
        asked = (self.filter_text, count)
        if asked != self._matched_by:
            text = self.filter_text
            self._matched_by = asked
            self._matching = matching(self._store, text) if text.strip() else list(range(count))
        return self._matching

    def _full(self, asked: tuple[str, int | None, int]) -> bool:
        """Whether there are only new targets, and no place for them: they wait for the next regular choice."""
        return asked[:2] == self._chosen_by[:2] and len(self._shown) == SHOWN

    def _name(self, names: list[str]) -> None:
        self.names = names
        while len(self._slots) < len(names):
            self._add_slot()
        for place, slot in enumerate(self._slots):
            shown = place < len(names)
            slot.latency.visible = self._rate.lines[place].visible = self._error.lines[place].visible = shown
        for shared in (self._rate, self._error):
            name_lines(shared, names)

    def _add_slot(self) -> None:
        slot = make_slot(len(self._slots), self.x_range, self._marks)
        slot.latency.on_event(SelectionGeometry, self._selected_in(slot.place))
        self._slots.append(slot)
        add_line(self._rate, slot.lines)
        add_line(self._error, slot.lines, marks="error_anomaly")

    def _mark_trouble(self) -> None:
        trouble = trouble_of(self._store)
        for slot, series, name in zip(self._slots, self._shown, self.names, strict=False):
            known = has_latency(slot.lines.data["p95"], slot.points.data["time"])
            slot.title.text = name if known else f"{name}: no latency known"
            tone = _tone(float(trouble[series]) if series < len(trouble) else 0.0)
            classes = slot_classes(slot.place, tone, selected=series == self.focus)
            if slot.latency.css_classes != classes:
                slot.latency.css_classes = classes

    # ---- data

    def _extend(self, place: int, series: int, new_ticks: int) -> None:
        slot, fresh = self._slots[place], self._store.fresh
        if new_ticks:
            data = line_data(self._store, series, self.start_ns)
            slot.lines.stream(rows_after(data, np.asarray(slot.lines.data["time"])), rollover=MOST_STREAMED)
        own = fresh.take(fresh.series == series)
        if not len(own.time_ns):
            return
        if len(slot.points.data["time"]) + len(own.time_ns) > MOST_POINTS:
            slot.points.data = point_data(all_points(self._store, series, self.start_ns, self.end_ns))
        else:
            slot.points.stream(point_data(own), rollover=MOST_POINTS)

    def _replace(self, place: int, series: int) -> None:
        slot = self._slots[place]
        start_ns, end_ns = self.start_ns, self.end_ns
        lines = rows_until(line_data(self._store, series, start_ns), end_ns / 1e6)
        most = MOST_COARSE_POINTS if self._is_coarse else MOST_POINTS // 2
        slot.lines.data = thinned(lines, start_ns / 1e6, end_ns / 1e6, "p95", ROUGH_LINES) if self._is_coarse else lines
        slot.points.data = point_data(all_points(self._store, series, start_ns, end_ns, most))

    def _draw_hosts(self, new_ticks: int) -> None:
        new = min(self._store.samples.appended_total - self._samples_drawn, MOST_STREAMED)
        self._samples_drawn = self._store.samples.appended_total
        for hosts in self._hosts.values():
            if self._is_coarse and (new_ticks or not self._store.requests.length):
                hosts.shown = []  # drawn again
            follows = self._window.moment_ns is None and not self._is_coarse
            hosts.draw(new if follows else 0, self.start_ns, self.end_ns)

    # ---- axes

    def _move_axes(self, *, lines_too: bool) -> None:
        start = self.start_ns / 1e6
        self.x_range.update(start=start, end=max(self.end_ns / 1e6, start + LEAST_SPAN_MS))
        shown = self._slots[: len(self._shown)]
        for slot in shown:
            _set_end(slot.y_range, calm_end(_largest_latency(slot.lines, slot.points, start), LEAST_LATENCY_MS))
        if lines_too:
            rate = max((_largest(slot.lines, "rate", start) for slot in shown), default=0.0)
            error = max((_largest(slot.lines, "error", start) for slot in shown), default=0.0)
            _set_end(self._rate.y_range, calm_end(rate, LEAST_RATE_HZ))
            _set_end(self._error.y_range, min(calm_end(error, LEAST_ERROR_PERCENT), 105.0))


def _tone(trouble: float) -> str:
    if trouble >= ERROR:
        return "bad"
    return "failing" if trouble >= FAILING else "warn" if trouble else "ok"


class _Hosts:
    """One metric of the hosts, in per cent."""

    def __init__(self, store: ViewStore, metric: str, chart: Shared) -> None:
        self._store, self._metric, self.chart = store, metric, chart
        self.sources: list[ColumnDataSource] = []
        self.shown: list[int] = []

    def draw(self, new_windows: int, start_ns: int, end_ns: int) -> None:
        keys = self._store.hosts.keys
        hosts = [number for number, key in enumerate(keys) if key.metric == self._metric][:SHOWN]
        if hosts != self.shown:
            self._replace(hosts, start_ns, end_ns)
        elif new_windows:
            for source, host in zip(self.sources, hosts, strict=False):
                fresh = rows_after(host_data(self._store, host, start_ns), np.asarray(source.data["time"]))
                source.stream(fresh, rollover=MOST_STREAMED)

    def _replace(self, hosts: list[int], start_ns: int, end_ns: int) -> None:
        self.shown = hosts
        while len(self.sources) < len(hosts):
            self.sources.append(empty_source(HOST_COLUMNS, f"{self._metric}-{len(self.sources)}"))
            add_line(self.chart, self.sources[-1])
        for source, host in zip(self.sources, hosts, strict=False):
            data = rows_until(host_data(self._store, host, start_ns), end_ns / 1e6)
            many = len(data["time"]) > MOST_STREAMED
            source.data = thinned(data, start_ns / 1e6, end_ns / 1e6, "value") if many else data
        name_lines(self.chart, short_names([self._store.hosts.keys[host] for host in hosts]))


def _set_end(axis: Range1d, end: float) -> None:
    if axis.end != end:
        axis.end = end


def _largest(source: ColumnDataSource, column: str, start: float) -> float:
    time, values = np.asarray(source.data["time"]), np.asarray(source.data[column])
    seen = values[(time >= start) & np.isfinite(values)]
    return float(seen.max(initial=0.0))


def _largest_latency(lines: ColumnDataSource, points: ColumnDataSource, start: float) -> float:
    """The largest value that must be visible; a few dots far above the line, or a much wider band, may be cut off."""
    line = _largest(lines, "p95", start)
    answered = _largest(points, "answered", start)
    seen = max(line, min(answered, FARTHEST_DOT * line) if line else answered, _largest(points, "failed", start))
    band = _largest(lines, "upper", start)
    return max(seen, min(band, 2 * seen)) if seen else band

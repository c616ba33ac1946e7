"""The widgets of a dashboard: tools, tiles, alerts, charts, health."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.quantities import format_count, format_duration
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, RuleThreshold, SeriesKey
from aiops_nb.view.charts.board import DEFAULT_SPAN_SECONDS, Board, Selection, TimeWindow
from aiops_nb.view.charts.navigation import panned, zoomed
from aiops_nb.view.data.alert_strip import alert_strip
from aiops_nb.view.data.names import harmless
from aiops_nb.view.data.store import LATENCY_ALERT, ViewStore, clock_text, date_text, moment_text
from aiops_nb.view.page_requests import PageRequests, Pages
from aiops_nb.view.selection_acts import SelectionActs, drawn_labels, labels_of, recording_of
from aiops_nb.view.source import Source, TargetShape, watched_of
from aiops_nb.view.widgets.alert_rows import alert_rows, row_id_of
from aiops_nb.view.widgets.answers import commands_of
from aiops_nb.view.widgets.controls import Controls, TargetRow
from aiops_nb.view.widgets.heat_panel import HeatPanel
from aiops_nb.view.widgets.live_figure import LiveFigure
from aiops_nb.view.widgets.panels import Panel
from aiops_nb.view.widgets.replay_tools import ReplayTools, pace_of
from aiops_nb.view.widgets.selection_bar import SelectionBar
from aiops_nb.view.widgets.self_panel import RejectedLine, SelfPanel
from aiops_nb.view.widgets.threshold_sliders import ThresholdSliders
from aiops_nb.view.widgets.tiles import tiles_of

SPANS = {"1 min": 60, "2 min": 120, "5 min": 300, "15 min": 900, "1 h": 3600, "6 h": 21_600, "24 h": 86_400}
FEW_TARGETS = 4  # as many need no filter
REJECTED_SHOWN = 5
MOVED_SHOWN = 8
LEAST_ZOOM_SECONDS = 5
LONGEST_LINE = 200
_log = logging.getLogger(__name__)


class Screen:
    """Widgets over a store; `draw` is called by the one pump.

    Parameters
    ----------
    source
        Started and stopped by the buttons.
    store
        What is shown.
    wake
        Has a frame drawn soon.
    """

    def __init__(self, source: Source, store: ViewStore, wake: Callable[[], None]) -> None:
        self._source, self._store, self._wake, self._problem = source, store, wake, ""
        self.board = board = Board(store)
        board.draw()  # before there are pages: these get it whole, with the figure
        self.figure = LiveFigure(board.roots)
        self.figure.on_navigate(self._navigate)
        self.status = Panel(kind="status")
        self.alerts = Panel(kind="alerts")
        self.alerts.on_select(self._select)
        self.alerts.on_answer(self._answer)
        self.itself = SelfPanel()
        self.controls = Controls(can_change=watched_of(source) is not None)
        self.selection = SelectionBar()
        self._acts = SelectionActs(source, lambda: self.board.selection, self.controls)
        more = {**self._acts.acts, "also_moved": self._find_moved}
        pages = Pages(self.controls, {"selection": self.selection})
        self.requests = PageRequests(source, self.range_ns, pages, wake, more)
        self.controls.on_request(self.requests.take)
        self.selection.on_request(self._take_of_selection)
        board.on_selection = wake
        self._make_tools()
        self.heat = HeatPanel()
        self.heat.on_open(self._open_target)
        self.progress = ipywidgets.FloatProgress(max=1.0, layout={"width": "100%", "display": "none"})
        self.progress.add_class("aiops-progress")
        above = [self.progress, self.controls, self.tools, self.status, self.alerts, self.heat]
        parts = [*above, self.selection, self.figure, self.itself]
        self.root = _column(parts)
        self.root.add_class("aiops-dashboard")
        self._rejected_total = 0
        self._labels_drawn = (0, 0)
        self._selected: str | None = None
        self._to_show = False
        self._to_answer: deque[tuple[str, str]] = deque()

    def _make_tools(self) -> None:
        self.start = _button("Start", "play", self._start)
        self.stop = _button("Stop", "stop", self._stop)
        self.span = ipywidgets.ToggleButtons(
            options=SPANS, value=DEFAULT_SPAN_SECONDS, style={"button_width": "70px"}, tooltips=["Time range"] * 7
        )
        self.span.observe(lambda change: self._show_span(change["new"]), "value")
        self.earlier = _button("", "chevron-left", lambda: self._page(-1), "Earlier", "36px")
        self.later = _button("", "chevron-right", lambda: self._page(1), "Later", "36px")
        self.latest = _button("Latest", "step-forward", lambda: self._show_moment(None), "Follow the newest rows")
        self.thresholds = ThresholdSliders(self._set_threshold)
        self.thresholds.rule.observe(lambda _change: self._wake(), "value")
        self.filter = ipywidgets.Text(placeholder="Filter targets...", layout={"width": "170px", "display": "none"})
        self.filter.observe(lambda change: self._filter(change["new"]), "value")
        self.count, self.time = _small_label(), _small_label()
        self.time.layout.margin = "0 2px 0 auto"
        moving = [self.earlier, self.later, self.latest]
        self.replay = ReplayTools(self._source)
        running = [self.start, self.stop, *self.replay.widgets]
        shown = [self.span, *moving, *self.thresholds.widgets, self.filter, self.count, self.time]
        self.tools = ipywidgets.HBox(
            [*running, *shown],
            layout={"width": "100%", "flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 8px"},
        )
        self.tools.add_class("aiops-tools")

    def _take_of_selection(self, request: Mapping[str, Any]) -> None:
        match request["kind"]:
            case "zoom":
                self._zoom()
            case "clear":
                self.board.select(None)
            case _:
                self.requests.take(request)

    def range_ns(self, name: str) -> tuple[int, int] | None:
        """Bounds of what is `shown`, of the `selection`; None: of everything."""
        chosen = self.board.selection
        if name == "selection" and chosen is not None:
            return chosen.start_ns, chosen.end_ns
        return None if name == "all" else (self.board.start_ns, self.board.end_ns + 1)

    def draw(self, running: bool) -> None:
        """Bring everything up to date; what did not change is not sent."""
        if self._to_show:
            self._show_selected()
        self._send_answers()
        with self.figure.one_message():
            self._draw_labels()
            self.board.draw()
            self.figure.show(self.board.roots)
        pace = pace_of(self._source)
        self.figure.set_live(running and not (pace is not None and pace.paused))  # a paused replay draws nothing
        ended = not running and self._source.ended
        self.status.state = self._state(running, ended)
        self.status.newest = self._newest()
        self.status.tiles = tiles_of(self._store)
        if hasattr(self._source, "undelivered"):  # of what notifies people: no replay, no recording
            self._store.undelivered = self._source.undelivered()
        self.alerts.alerts = alert_rows(self._store)
        self.alerts.strip = dict(alert_strip(self._store))
        self._draw_heat()
        self._report_health()
        self.status.warnings = self._warnings()
        self.start.disabled = running or ended
        self.stop.disabled = not running
        self.replay.report(running=running)
        self._offer_thresholds()
        self._report_controls()
        self._report_progress(running)
        self._report_targets()
        self._report_time()

    def _report_progress(self, running: bool) -> None:
        ratio = getattr(self._source, "progress_ratio", None)  # only of what has an end: a replay
        shown = running and ratio is not None
        self.progress.layout.display = None if shown else "none"
        if shown:
            self.progress.value = ratio
            self.progress.description = f"{ratio:.0%} read"

    def close(self) -> None:
        """Remove every widget from every page; may be called twice."""
        self.requests.close()
        parts = [*self.tools.children, *self.root.children, self.root]
        for widget in parts:
            for detail in (widget.layout, getattr(widget, "style", None)):
                if detail is not None:
                    detail.close()
            widget.close()

    # ---- what the pump writes

    def _draw_heat(self) -> None:
        board, store = self.board, self._store
        chosen = board.matching_series()
        self.heat.draw(store, chosen, board.start_ns, board.end_ns)

    def _draw_labels(self) -> None:
        """Labels, read again when their file has changed."""
        labels = labels_of(self._source)
        if labels is None:
            return
        try:
            found = labels.path.stat()
            version = (found.st_mtime_ns, found.st_size)
            if version != self._labels_drawn:
                self._labels_drawn = version
                self.board.show_labels(drawn_labels(labels.current()))
        except FileNotFoundError:
            return
        except (OSError, AiopsError) as problem:
            self._problem = f"labels are not drawn: {problem}"

    def _report_controls(self) -> None:
        chosen, controls, bar = self.board.selection, self.controls, self.selection
        text = "" if chosen is None else _selection_text(chosen)
        controls.selection = text
        with bar.hold_sync():
            bar.targets_text = "" if chosen is None else ", ".join(harmless(one) for one in chosen.targets)
            bar.can_command = self._source.running and not self._source.replays
            bar.can_label = labels_of(self._source) is not None
            bar.can_replay = recording_of(self._source) is not None
            bar.undo = self._acts.undo_text
            bar.text = text
        watched = watched_of(self._source)
        if watched is not None:
            targets = watched.targets()
            controls.targets = [_target_row(one, self._store.names.of_labels({"target": one.name})) for one in targets]
            controls.sources = watched.sources()
            controls.recording = watched.record or ""

    def _show_selected(self) -> None:
        """Show the target of a selected alert, and the time around its start if that is out of sight."""
        self._to_show = False
        board, changes = self.board, (episode.change for episode in self._store.alerts.shown())
        change = next((one for one in changes if row_id_of(one) == self._selected), None)
        span = board.window.span_seconds
        if change is None:
            board.focus = board.alert_ns = None
            board.window = TimeWindow(span_seconds=span)
            return
        board.focus = self._series_of(change)
        board.alert_ns = began = change.starts_at_ns or change.pending_at_ns
        in_sight = board.window.moment_ns is None and board.start_ns <= began
        board.window = TimeWindow(span_seconds=span, moment_ns=None if in_sight else began)

    def _send_answers(self) -> None:
        """Each answer is a command of the stream; it is shown when it has come back from there."""
        while self._to_answer:
            row_id, action = self._to_answer.popleft()
            changes = (episode.change for episode in self._store.alerts.shown())
            change = next((one for one in changes if row_id_of(one) == row_id), None)
            self._problem = ""
            try:
                for command in commands_of(action, change) if change is not None else ():
                    self._source.command(command)
            except AiopsError as problem:
                self._problem = f"not answered: {problem}"

    def _series_of(self, change: AlertChange) -> int | None:
        key = SeriesKey(change.labels.get("target", ""), origin=change.labels.get("origin", ""))
        keys = self._store.series.keys
        return keys.index(key) if key in keys else None

    def _state(self, running: bool, ended: bool) -> str:
        if ended:
            return "ended"
        if not running:
            return "stopped"
        writer = getattr(self._source, "writer", None)  # only of a recording that is followed
        if writer is not None:
            return {"writing": "following", "silent": "silent"}.get(writer, "waiting")
        pace = pace_of(self._source)
        if pace is not None and pace.paused:
            return "paused"
        return "replaying" if self._source.replays else "live"

    def _newest(self) -> str:
        newest = self._store.newest_ns
        return f"{date_text(newest)} {clock_text(newest)[:8]} UTC" if newest else ""

    def _warnings(self) -> list[str]:
        lines = self._source.warnings()
        skipped = self._store.skipped_rows_total
        if skipped:
            lines = [
                *lines,
                f"{skipped:,} requests are not plotted (too many to draw); they were still recorded and analysed",
            ]
        if self.itself.rejected and not any(line.startswith("lines of ") for line in lines):
            lines = [*lines, _rejected_text(self._rejected_total, self.itself.rejected[-1])]
        return [*lines, *([self._problem] if self._problem else [])]

    def _report_health(self) -> None:
        itself = self._store.itself
        self.itself.sentence = itself.sentence()
        self.itself.rows = itself.rows()
        total = itself.rejected_total()
        if total != self._rejected_total:
            self._rejected_total = total
            self.itself.rejected = self._rejected_lines()

    def _rejected_lines(self) -> list[RejectedLine]:
        """The last lines that the sources rejected; a source may have no such list, or fail to give it."""
        try:
            rows = self._source.rejected().tail(REJECTED_SHOWN).fillna("").astype(str).to_dict("records")
        except Exception:  # a collector of a third party must not end the drawing
            _log.debug("the rejected lines are not known", exc_info=True)
            return []
        names = ("source", "reason", "detail", "line")
        shown = [{name: row.get(name, "")[:LONGEST_LINE] for name in names} for row in rows]
        return [RejectedLine(**row) for row in shown]  # type: ignore[typeddict-item]

    def _report_targets(self) -> None:
        board, count = self.board, len(self._store.series.keys)
        self.filter.layout.display = None if count > FEW_TARGETS else "none"
        matched, shown = board.matched, board.shown_count
        if matched is not None:
            rest = "" if shown == matched else f", showing {shown}"
            self.count.value = f"{matched:,} of {count:,} match{rest}"
        else:
            self.count.value = "" if shown == count else f"showing {shown} of {count:,} targets, alerts first"

    def _report_time(self) -> None:
        board, newest = self.board, self._store.newest_ns
        moment = board.window.moment_ns
        self.latest.disabled = moment is None
        self.later.disabled = moment is None
        self.earlier.disabled = not newest or board.start_ns <= self._store.oldest_ns
        if not newest:
            self.time.value = "times are UTC"
        elif moment is None:
            self.time.value = f"{date_text(newest)}, times are UTC"
        else:
            ends = f"{clock_text(board.start_ns)[:8]} to {clock_text(board.end_ns)[:8]} UTC"
            self.time.value = f"charts show {date_text(board.start_ns)}, {ends}"

    def _offer_thresholds(self) -> None:
        now = self._store.thresholds.get(LATENCY_ALERT)
        if now is not None:
            deviations = RuleThreshold(alertname=LATENCY_ALERT, name="deviations", value=now, least=0.0)
            self.thresholds.offer(deviations)
        for threshold in self._store.client_thresholds:
            self.thresholds.offer(threshold)
        self.thresholds.report(self._store.thresholds, self._effect)

    def _effect(self, alertname: str, wanted: float, now: float) -> str:
        """What another threshold would have made of the time shown."""
        board = self.board
        bounds = board.start_ns, board.end_ns
        counts = [self._store.episodes_above(alertname, one, *bounds) for one in (wanted, now)]
        if None in counts:
            return ""
        span = format_duration(round((bounds[1] - bounds[0]) / NS_PER_SECOND))
        return f"above {wanted:g}: {_times(counts[0] or 0)} in the shown {span} (above {now:g}: {counts[1]})"

    # ---- from the page, in the kernel's own threads

    def _start(self) -> None:
        """A new run starts with the configured thresholds; those of moved sliders are sent again."""
        if self._source.running:
            return
        self._problem = ""
        try:
            self._source.start()
        except AiopsError as problem:  # raised from a button it would reach nobody
            self._problem = f"not started: {problem}"
            self._wake()
            return
        for alertname, threshold in self.thresholds.moved().items():
            self._command(alertname, threshold)
        self._wake()

    def _stop(self) -> None:
        self._source.stop()
        self._wake()

    def _set_threshold(self, alertname: str, threshold: float) -> None:
        if threshold != self._store.thresholds.get(alertname):
            self._command(alertname, threshold)
        self._wake()

    def _command(self, alertname: str, threshold: float) -> None:
        self._problem = ""
        try:
            self._source.command({"type": "set_threshold", "alertname": alertname, "threshold": threshold})
        except AiopsError as problem:  # the monitor that is followed cannot be reached
            self._problem = f"threshold not changed: {problem}"

    def _show_span(self, seconds: int) -> None:
        self.board.window = TimeWindow(span_seconds=seconds, moment_ns=self.board.window.moment_ns)
        self._wake()

    def _show_moment(self, moment_ns: int | None) -> None:
        self.board.window = TimeWindow(span_seconds=self.board.window.span_seconds, moment_ns=moment_ns)
        self._wake()

    def _page(self, direction: int) -> None:
        """Move the charts by half a span; beyond the newest row they follow it again."""
        store, half = self._store, self.board.window.span_seconds * NS_PER_SECOND // 2
        moment = self.board.window.moment_ns
        moment = (store.newest_ns - half if moment is None else moment) + direction * half
        self._show_moment(None if moment + half >= store.newest_ns else max(moment, store.oldest_ns + half))

    def _zoom(self) -> None:
        """Show what is selected, and a little around it."""
        chosen = self.board.selection
        if chosen is not None:
            seconds = max(LEAST_ZOOM_SECONDS, math.ceil((chosen.end_ns - chosen.start_ns) * 1.1 / NS_PER_SECOND))
            middle_ns = (chosen.start_ns + chosen.end_ns) // 2
            self.board.window = TimeWindow(span_seconds=seconds, moment_ns=middle_ns)
            self._wake()

    def _navigate(self, content: Mapping[str, Any]) -> None:
        """Pan or zoom the time axis; numbers of the page are not trusted."""
        board, numbers = self.board, [content.get(name) for name in ("share", "at", "factor")]
        share, at, factor = (float(one) if isinstance(one, (int, float)) else 0.0 for one in numbers)
        if not self._store.newest_ns:
            return
        match content.get("kind"):
            case "pan":
                board.window = panned(board.window, board.extent, share)
            case "zoom":
                board.window = zoomed(board.window, board.extent, at, factor)
            case _:
                board.window = TimeWindow(span_seconds=board.window.span_seconds)
        self._wake()

    def _filter(self, text: str) -> None:
        self.board.filter_text = text
        self._wake()

    def _open_target(self, series: int, time_ns: int) -> None:
        """Show the chart of a target, and the time around the cell that was clicked."""
        board = self.board
        span, moment = board.window.span_seconds, board.window.moment_ns
        in_sight = time_ns + span * NS_PER_SECOND // 2 >= self._store.newest_ns  # the newest rows are followed
        board.focus = series
        board.window = TimeWindow(span_seconds=span, moment_ns=moment if in_sight else time_ns)
        self._wake()

    def _select(self, row_id: str | None) -> None:
        self._selected, self._to_show = row_id, True
        if row_id is not None and hasattr(self._source, "also_moved"):
            self.alerts.moved = {"id": row_id, "verdict": "..."}
            self.requests.take({"kind": "also_moved", "id": row_id})
        self._wake()

    def _find_moved(self, request: Mapping[str, Any]) -> str:
        """Look for what else moved with an alert, in the thread of the page's requests."""
        row_id = str(request["id"])
        alerts = self._source.alerts()  # type: ignore[attr-defined]
        pending_ns = alerts["pending_at"].astype("int64")
        found = alerts[(alerts["fingerprint"] + "-" + pending_ns.astype(str)) == row_id]
        if len(found) and row_id == self._selected:
            moved = self._source.also_moved(found.iloc[-1])  # type: ignore[attr-defined]
            rows = [
                row | {"target": harmless(row["target"]) or "all", "name": harmless(row["name"])}
                for row in moved.in_words(MOVED_SHOWN)
            ]
            self.alerts.moved = {"id": row_id, "verdict": moved.verdict, "rows": rows}
        return ""

    def _answer(self, row_id: str, action: str) -> None:
        """A button of an alert was pressed; the pump, which owns the alerts, sends the command."""
        self._to_answer.append((row_id, action))
        self._wake()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "never"


def _selection_text(chosen: Selection) -> str:
    """The range that is selected, and how long it is."""
    start, end = (moment_text(at, chosen.end_ns, tenths=True) for at in (chosen.start_ns, chosen.end_ns))
    return f"{start} to {end} UTC, {format_duration((chosen.end_ns - chosen.start_ns) / NS_PER_SECOND)}"


def _target_row(target: TargetShape, shown: str) -> TargetRow:
    interval = f"{target.interval_seconds:g}"
    return TargetRow(name=target.name, shown=shown, url=target.url, interval=interval, state=target.state)


def _rejected_text(total: int, last: RejectedLine) -> str:
    detail = f" ({last['detail']})" if last["detail"] else ""
    lines = format_count(total, "line")
    return f"{lines} rejected, the last one by {last['source']} as {last['reason']}{detail}: {last['line']}"


def _button(text: str, icon: str, act: Callable[[], None], tooltip: str = "", width: str = "84px") -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, icon=icon, tooltip=tooltip, layout={"width": width})
    button.on_click(lambda _button: act())
    return button


def _small_label() -> ipywidgets.Label:
    label = ipywidgets.Label()
    label.add_class("aiops-zone")
    return label


def _column(children: list[Any]) -> ipywidgets.VBox:
    return ipywidgets.VBox(children, layout={"width": "100%", "grid_gap": "10px", "overflow": "visible"})

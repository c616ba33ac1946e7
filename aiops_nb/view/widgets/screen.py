"""The widgets of a dashboard: tools, tiles, charts, alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.types import RuleThreshold, SeriesKey
from aiops_nb.view.charts.board import DEFAULT_SPAN_SECONDS, Board
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.source import Source
from aiops_nb.view.widgets.live_figure import LiveFigure
from aiops_nb.view.widgets.panels import Panel
from aiops_nb.view.widgets.self_panel import SelfPanel
from aiops_nb.view.widgets.threshold_sliders import LATENCY_ALERT, ThresholdSliders
from aiops_nb.view.widgets.tiles import alert_rows, tiles_of

SPANS = {"1 min": 60, "2 min": 120, "5 min": 300, "15 min": 900}
ROOM_FOR_ALL = 8
MOST_NAMES = 2000


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
        self.status = Panel(kind="status")
        self.alerts = Panel(kind="alerts")
        self.itself = SelfPanel()
        self.start = _button("Start", "play", self._start)
        self.stop = _button("Stop", "stop", self._stop)
        self.span = ipywidgets.ToggleButtons(
            options=SPANS, value=DEFAULT_SPAN_SECONDS, style={"button_width": "68px"}, tooltips=["shown time"] * 4
        )
        self.picked = ipywidgets.TagsInput(
            allow_duplicates=False, placeholder="show only these targets ...", layout={"display": "none"}
        )
        self.thresholds = ThresholdSliders(self._set_threshold)
        self.thresholds.rule.observe(lambda _change: self._wake(), "value")
        self.span.observe(lambda change: self._show_span(change["new"]), "value")
        self.picked.observe(lambda change: self._pick(change["new"]), "value")
        self.root = _column([self._tools(), self.status, self.figure, self.alerts, self.itself])
        self.root.add_class("aiops-dashboard")
        self._names_given = 0

    def _tools(self) -> ipywidgets.HBox:
        layout = {"width": "100%", "flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 12px"}
        zone = ipywidgets.Label("times are UTC", layout={"margin": "0 2px 0 auto"})
        zone.add_class("aiops-zone")
        tools = ipywidgets.HBox(
            [self.start, self.stop, self.span, *self.thresholds.widgets, self.picked, zone], layout=layout
        )
        tools.add_class("aiops-tools")
        return tools

    def draw(self, running: bool) -> None:
        """Bring everything up to date; what did not change is not sent."""
        with self.figure.one_message():
            self.board.draw()
            self.figure.show(self.board.roots)
        self.figure.set_live(running)
        ended = not running and self._source.ended
        self.status.state = "running" if running else "ended" if ended else "stopped"
        self.status.tiles = tiles_of(self._store)
        self.status.warnings = self._warnings()
        self.alerts.alerts = alert_rows(self._store)
        self.itself.sentence, self.itself.rows = self._store.itself.sentence(), self._store.itself.rows()
        self.start.disabled, self.stop.disabled = running or ended, not running
        self._offer_names()
        self._offer_thresholds()

    def close(self) -> None:
        """Remove every widget from every page; may be called twice."""
        parts = [*self.root.children[0].children, *self.root.children, self.root]
        for widget in parts:
            for detail in (widget.layout, getattr(widget, "style", None)):
                if detail is not None:
                    detail.close()
            widget.close()

    def _warnings(self) -> list[str]:
        skipped = self._store.skipped_rows_total
        own = [f"{skipped:,} requests came too fast to be drawn (recorded and judged all the same)"] if skipped else []
        return [*self._source.warnings(), *own, *([self._problem] if self._problem else [])]

    def _offer_names(self) -> None:
        keys = self._store.series.keys
        if len(keys) > ROOM_FOR_ALL and len(keys) != self._names_given and self._names_given < MOST_NAMES:
            self._names_given = len(keys)
            self.picked.allowed_tags = [name_of(key) for key in keys[:MOST_NAMES]]
            self.picked.layout.display = None

    def _offer_thresholds(self) -> None:
        now = self._store.thresholds.get(LATENCY_ALERT)
        if now is not None:
            deviations = RuleThreshold(alertname=LATENCY_ALERT, name="deviations", value=now, least=0.0)
            self.thresholds.offer(deviations)
        for threshold in self._store.client_thresholds:
            self.thresholds.offer(threshold)
        self.thresholds.tell(self._store.thresholds)

    # ---- from the page, in the kernel's own threads

    def _start(self) -> None:
        """A new run begins with what is configured: what somebody moved since is moved again."""
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

    def _stop(self) -> None:
        self._source.stop()

    def _set_threshold(self, alertname: str, threshold: float) -> None:
        if threshold != self._store.thresholds.get(alertname):
            self._command(alertname, threshold)
        self._wake()

    def _command(self, alertname: str, threshold: float) -> None:
        self._source.command({"type": "set_threshold", "alertname": alertname, "threshold": threshold})

    def _show_span(self, seconds: int) -> None:
        self.board.span_seconds = seconds
        self._wake()

    def _pick(self, names: list[str]) -> None:
        numbers = {name_of(key): number for number, key in enumerate(self._store.series.keys)}
        self.board.wanted = tuple(numbers[name] for name in names if name in numbers)
        self._wake()


def name_of(key: SeriesKey) -> str:
    """A series as the selector names it.

    Examples
    --------
    >>> name_of(SeriesKey("a", origin="traffic"))
    'a (traffic)'
    """
    return f"{key.target} (traffic)" if key.origin == "traffic" else key.target


def _button(text: str, icon: str, act: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, icon=icon, layout={"width": "84px"})
    button.on_click(lambda _button: act())
    return button


def _column(children: list[Any]) -> ipywidgets.VBox:
    return ipywidgets.VBox(children, layout={"width": "100%", "grid_gap": "10px", "overflow": "visible"})

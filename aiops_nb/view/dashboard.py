"""The dashboard of a monitor: live in a notebook, a static picture where nothing can be live."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from aiops_nb.core.errors import ConfigError
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.frontend import shows_widgets
from aiops_nb.view.notebook_cell import running_cell, running_request
from aiops_nb.view.page_requests import TABLES, frame_between
from aiops_nb.view.pump import Pump
from aiops_nb.view.source import Source
from aiops_nb.view.still.page import picture_html
from aiops_nb.view.twin import Twin

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.view.charts.board import Selection
    from aiops_nb.view.widgets.screen import Screen

_open: list[Dashboard] = []
_open_lock = threading.Lock()
CLOSED = "this dashboard was closed: make another with monitor.dashboard()"


class Dashboard:
    """Latency with its expected band, rates, errors, this host, alerts; display it as the last line of a cell.

    Another dashboard of the same source, or another run of its cell, closes the earlier one. The source keeps what is
    shown: a reloaded page, a second view or a dashboard made later is complete at once. A static picture is kept next
    to the live dashboard, for readers of the saved notebook without a kernel.

    Parameters
    ----------
    source
        A monitor or a replay.

    Examples
    --------
    >>> from aiops_nb.monitor.monitor import Monitor
    >>> with Dashboard(Monitor(make_run=lambda deliver: None)) as dashboard:
    ...     print(dashboard)
    <Dashboard stopped, 0 targets>
    """

    def __init__(self, source: Source) -> None:
        self.source: Source | None = source
        self.cell = running_cell(running_request())
        self.store = store = ViewStore(self._wake)
        self._pump = Pump(self._draw)
        self._drawing = threading.RLock()
        self._screen: Screen | None = None
        self._twin: Twin | None = None
        _close_earlier(self)
        source.add_sink(store)
        store.begin_with(source.recent)

    def __repr__(self) -> str:
        if self.source is None:
            return "<Dashboard closed>"
        with self._drawing:
            self.store.advance()
        state = "running" if self.source.running else "stopped"
        return f"<Dashboard {state}, {len(self.store.series.keys)} targets>"

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    @property
    def pumping(self) -> bool:
        """Whether its thread runs."""
        return self._pump.alive

    def screen(self) -> Screen:
        """Its widgets, made when first asked for.

        Raises
        ------
        RuntimeError
            If the dashboard was closed.
        """
        with self._drawing:
            if self.source is None:
                raise RuntimeError(CLOSED)
            if self._screen is None:
                from aiops_nb.view.widgets.screen import Screen

                self.store.advance()
                self._screen = Screen(self.source, self.store, self._wake)
                self._draw()
                self._wake()
            return self._screen

    @property
    def selection(self) -> Selection | None:
        """The range that was drawn over a chart, with the targets of that chart; None: nothing is selected.

        `start` and `end` are UTC timestamps, `start_ns` and `end_ns` the same in nanoseconds.
        """
        screen = self._screen
        return None if screen is None else screen.board.selection

    def selected_frame(self, table: str = "requests") -> pd.DataFrame:
        """The rows of the selected range.

        Parameters
        ----------
        table
            `requests`, `samples`, `features`, `scores` or `alerts`.

        Raises
        ------
        ConfigError
            If nothing is selected, or there is no such table.
        """
        selection = self.selection
        if selection is None or self.source is None:
            raise ConfigError("selection: expected a range drawn over a chart, got none")
        if table not in TABLES:
            raise ConfigError.at("table", f"one of {', '.join(TABLES)}", table)
        frame = frame_between(self.source, table, (selection.start_ns, selection.end_ns))
        if "target" not in frame.columns or table == "samples":
            return frame
        return frame[frame["target"].isin(selection.targets)].reset_index(drop=True)

    def close(self) -> None:
        """End its thread and remove it from every page; the source goes on. May be called twice."""
        with _open_lock:
            if self in _open:
                _open.remove(self)
        source, self.source = self.source, None  # the notebook's history of outputs must not keep a monitor alive
        if source is not None:
            source.remove_sink(self.store)
        self._pump.close()
        with self._drawing:
            screen, self._screen = self._screen, None
            if self._twin is not None:
                self._twin.close(self.store)
                self._twin = None
            if screen is not None:
                screen.close()
            self.store = ViewStore()  # nor the megabytes that it showed

    def to_html(self) -> str:
        """A static picture of what is shown now, without scripts: for reports, mails and saved notebooks.

        Raises
        ------
        RuntimeError
            If the dashboard was closed.
        """
        if self.source is None:
            raise RuntimeError(CLOSED)
        with self._drawing:
            self.store.advance()
            return picture_html(self.store)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.source is None or not shows_widgets(running_request()):
            display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
            return
        # "text/html" is what nbconvert prefers to the text of a widget that it cannot draw
        bundle = {**self._repr_mimebundle_(), "text/html": "<!-- a live dashboard -->", "text/plain": repr(self)}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        with self._drawing:
            if self._twin is None:
                self._twin = Twin()
            self._twin.show(self.store)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        if self.source is None:
            return {"text/plain": repr(self)}
        if shows_widgets(running_request()):
            return self.screen().root._repr_mimebundle_()
        return {"text/plain": repr(self), "text/html": self.to_html()}

    def _wake(self) -> None:
        if self._screen is not None:
            self._pump.wake()

    def _draw(self) -> bool:
        source = self.source
        running = source is not None and source.running  # read first: what came before the end is drawn below
        with self._drawing:
            self.store.advance()
            if self._screen is not None:
                self._screen.draw(running)
            if self._twin is not None:
                self._twin.update(self.store, running)
        return running


def _close_earlier(dashboard: Dashboard) -> None:
    """Those of the same source, and those of an earlier run of the same cell."""
    cell, run = dashboard.cell
    with _open_lock:
        earlier = [
            other
            for other in _open
            if other.source is dashboard.source or (cell and other.cell[0] == cell and other.cell[1] != run)
        ]
        _open.append(dashboard)
    for other in earlier:
        other.close()

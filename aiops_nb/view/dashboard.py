"""The dashboard of a monitor: live in a notebook, a still picture where nothing can be live."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.frontend import shows_widgets
from aiops_nb.view.notebook_cell import running_cell, running_request
from aiops_nb.view.pump import Pump
from aiops_nb.view.source import Source
from aiops_nb.view.still.page import picture_html

if TYPE_CHECKING:
    from aiops_nb.view.widgets.screen import Screen

_open: list[Dashboard] = []
_open_lock = threading.Lock()


class Dashboard:
    """Latency with its expected band, rates, errors, this host, alerts; display it as the last line of a cell.

    Making another dashboard of the same source, or running its cell again, closes the one before. What is shown lives
    in the source: a reloaded page, a second view or a dashboard made later is whole at once.

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
        self.store = ViewStore(self._wake)
        self._pump = Pump(self._draw)
        self._drawing = threading.RLock()
        self._screen: Screen | None = None
        _close_earlier(self)
        source.add_sink(self.store)
        self.store.begin_with(source.recent)

    def __repr__(self) -> str:
        with self._drawing:
            self.store.advance()
        state = "closed" if self.source is None else "running" if self.source.running else "stopped"
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
                raise RuntimeError("this dashboard was closed: make another with monitor.dashboard()")
            if self._screen is None:
                from aiops_nb.view.widgets.screen import Screen

                self.store.advance()
                self._screen = Screen(self.source, self.store, self._wake)
                self._draw()
                self._wake()
            return self._screen

    def close(self) -> None:
        """End its thread and remove it from every page; the source goes on. May be called twice."""
        with _open_lock:
            if self in _open:
                _open.remove(self)
        source, self.source = self.source, None  # the notebook's history of outputs must not keep a monitor alive
        if source is not None:
            source.remove_sink(self.store)
        self._pump.close()
        screen, self._screen = self._screen, None
        if screen is not None:
            screen.close()

    def to_html(self) -> str:
        """A still picture of what is shown now, without scripts: for reports, mails and saved notebooks."""
        with self._drawing:
            self.store.advance()
            return picture_html(self.store)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        if self.source is not None and shows_widgets(running_request()):
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

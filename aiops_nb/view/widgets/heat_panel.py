"""The heat map of all targets, for more of them than there is room for charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.charts.selection import SHOWN, trouble_of
from aiops_nb.view.data.heat_map import MOST_COLUMNS, HeatMap, heat_map
from aiops_nb.view.data.store import ViewStore, clock_text

HERE = Path(__file__).parent
LEAST_STEP_NS = 2 * NS_PER_SECOND
MARK = "\N{BLACK UP-POINTING TRIANGLE} "  # an alert fires, or the last request failed
Open = Callable[[int, int], None]


class HeatPanel(anywidget.AnyWidget):
    """Rows of coloured cells, the worst target first; a click opens its chart at that time.

    Examples
    --------
    >>> HeatPanel().names
    []
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "heat_panel.js").read_text(encoding="utf-8")
    _css = (HERE / "heat_panel.css").read_text(encoding="utf-8")
    names: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    levels = traitlets.Bytes(b"").tag(sync=True)
    times: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self) -> None:
        self._map: HeatMap | None = None
        self._drawn: tuple[object, ...] = ()
        self._open: Open = lambda _series, _time_ns: None
        super().__init__()
        self.on_msg(self._receive)

    def on_open(self, act: Open) -> None:
        """Call `act` with the number of the series and the time (UTC ns) that were clicked."""
        self._open = act

    def draw(self, store: ViewStore, chosen: list[int], start_ns: int, end_ns: int) -> None:
        """Bring it up to date; hidden where all targets have charts."""
        if len(store.series.keys) <= SHOWN:
            return
        step_ns = max(LEAST_STEP_NS, (end_ns - start_ns) // MOST_COLUMNS)
        trouble = np.zeros(len(store.series.keys))
        trouble[: len(store.down)] = trouble_of(store)
        now = (len(chosen), chosen[:1], end_ns - start_ns, end_ns // step_ns, trouble.tobytes())
        if now == self._drawn:
            return
        self._drawn = now
        self._map = found = heat_map(store, chosen, start_ns, end_ns, trouble)
        total = len(store.series.keys)
        shown = f"{len(found.series):,} of {total:,} targets" if len(found.series) < total else f"All {total:,} targets"
        with self.hold_sync():
            self.title = f"{shown} over time, the worst first"
            self.names = [f"{MARK if trouble[one] else ''}{store.names.of(one)}" for one in found.series]
            self.times = [clock_text(int(time_ns))[:8] for time_ns in found.times_ns]
            self.levels = found.levels.tobytes()

    def _receive(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        found = self._map
        if content.get("kind") != "open" or found is None:
            return
        row, column = content.get("row"), content.get("column")
        if not (isinstance(row, int) and isinstance(column, int)):
            return
        if 0 <= row < len(found.series) and 0 <= column < len(found.times_ns):
            self._open(found.series[row], int(found.times_ns[column]))

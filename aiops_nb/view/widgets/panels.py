"""Tiles, warnings and the alert table: small widgets whose whole state travels with them."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from aiops_nb.view.widgets.tiles import AlertRow, Tile

HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """Tiles and warnings above the charts, or alerts below them; text is never read as markup.

    Examples
    --------
    >>> Panel(kind="alerts").kind
    'alerts'
    """

    _esm = HERE / "panel.js"
    _css = HERE / "panel.css"
    kind = traitlets.Enum(["status", "alerts"]).tag(sync=True)
    state = traitlets.Unicode("").tag(sync=True)
    tiles: traitlets.List[Tile] = traitlets.List().tag(sync=True)
    warnings: traitlets.List[str] = traitlets.List().tag(sync=True)
    alerts: traitlets.List[AlertRow] = traitlets.List().tag(sync=True)

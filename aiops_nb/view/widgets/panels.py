"""Tiles, warnings and the alert table: small widgets whose whole state travels with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from aiops_nb.view.widgets.alert_rows import AlertRow
from aiops_nb.view.widgets.tiles import Tile

HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """Tiles and warnings, or the alert table; external text is never read as markup.

    Examples
    --------
    >>> Panel(kind="alerts").kind
    'alerts'
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "panel.js").read_text(encoding="utf-8")
    _css = (HERE / "panel.css").read_text(encoding="utf-8")
    kind = traitlets.Enum(["status", "alerts"]).tag(sync=True)
    state = traitlets.Unicode("").tag(sync=True)
    newest = traitlets.Unicode("").tag(sync=True)
    tiles: traitlets.List[Tile] = traitlets.List().tag(sync=True)
    warnings: traitlets.List[str] = traitlets.List().tag(sync=True)
    alerts: traitlets.List[AlertRow] = traitlets.List().tag(sync=True)
    moved: traitlets.Dict[str, object] = traitlets.Dict().tag(sync=True)
    strip: traitlets.Dict[str, object] = traitlets.Dict().tag(sync=True)

    def on_select(self, act: Callable[[str | None], None]) -> None:
        """Call `act` with the id of the alert row that was selected; None when the selection ends."""

        def receive(_panel: object, content: Mapping[str, Any], _buffers: object) -> None:
            if content.get("kind") == "select":
                chosen = content.get("id")
                act(chosen if isinstance(chosen, str) else None)

        self.on_msg(receive)

    def on_answer(self, act: Callable[[str, str], None]) -> None:
        """Call `act` with the id of an alert row and the action whose button was pressed."""

        def receive(_panel: object, content: Mapping[str, Any], _buffers: object) -> None:
            if content.get("kind") == "answer":
                act(str(content.get("id")), str(content.get("action")))

        self.on_msg(receive)

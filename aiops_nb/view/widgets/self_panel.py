"""A line below the charts with the health of the monitor itself; it opens to a table of the sources."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import anywidget
import traitlets

from aiops_nb.view.data.monitor_health import SelfRow

HERE = Path(__file__).parent


class RejectedLine(TypedDict):
    """One line that a source could not use."""

    source: str
    reason: str
    detail: str
    line: str


class SelfPanel(anywidget.AnyWidget):
    """One sentence, a table of the sources and the last rejected lines; hidden while the sentence is empty.

    Examples
    --------
    >>> SelfPanel(sentence="20 rows/s").sentence
    '20 rows/s'
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "self_panel.js").read_text(encoding="utf-8")
    _css = (HERE / "self_panel.css").read_text(encoding="utf-8")
    sentence = traitlets.Unicode("").tag(sync=True)
    rows: traitlets.List[SelfRow] = traitlets.List().tag(sync=True)
    rejected: traitlets.List[RejectedLine] = traitlets.List().tag(sync=True)

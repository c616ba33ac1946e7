"""A line below the alerts that says how the monitor itself is doing; opened, it tells each source."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from aiops_nb.view.data.monitor_health import SelfRow

HERE = Path(__file__).parent


class SelfPanel(anywidget.AnyWidget):
    """One sentence, and a table of the sources behind it; hidden until there is something to say.

    Examples
    --------
    >>> SelfPanel(sentence="20 rows/s").sentence
    '20 rows/s'
    """

    _esm = HERE / "self_panel.js"
    _css = HERE / "self_panel.css"
    sentence = traitlets.Unicode("").tag(sync=True)
    rows: traitlets.List[SelfRow] = traitlets.List().tag(sync=True)

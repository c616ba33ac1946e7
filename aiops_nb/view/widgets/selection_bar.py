"""What can be done with the range that was drawn over a chart: zoom, label, silence, mark, export, replay."""

from __future__ import annotations

from pathlib import Path

import traitlets

from aiops_nb.view.widgets.controls import Controls

HERE = Path(__file__).parent


class SelectionBar(Controls):
    """A bar of buttons above the charts while a range is selected; what was done can be undone from it.

    What the page asks for arrives as for `Controls`; `zoom` and `clear` are acts of the screen. External text is set as
    text, never as markup.

    Examples
    --------
    >>> SelectionBar().text
    ''
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "selection_bar.js").read_text(encoding="utf-8")
    text = traitlets.Unicode("").tag(sync=True)
    targets_text = traitlets.Unicode("").tag(sync=True)
    can_command = traitlets.Bool(False).tag(sync=True)
    can_label = traitlets.Bool(False).tag(sync=True)
    can_replay = traitlets.Bool(False).tag(sync=True)
    undo = traitlets.Unicode("").tag(sync=True)

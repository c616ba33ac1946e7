"""What is watched, changed from the page: targets, other sources, the recording; and downloads of what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import anywidget
import traitlets

HERE = Path(__file__).parent
Act = Callable[[Mapping[str, Any]], None]


class TargetRow(TypedDict):
    """One target as the list shows it; `name` is its identity, `shown` what people read."""

    name: str
    shown: str
    url: str
    interval: str
    state: str


class Controls(anywidget.AnyWidget):
    """A box for URLs, the list of targets, other sources, downloads and the recording.

    What the page asks for arrives as a mapping with a `kind`; what could not be done is said next to the field that
    asked. External text is set as text, never as markup.

    Examples
    --------
    >>> Controls(can_change=True).targets
    []
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "controls.js").read_text(encoding="utf-8")
    _css = (HERE / "controls.css").read_text(encoding="utf-8")
    can_change = traitlets.Bool(False).tag(sync=True)
    targets: traitlets.List[TargetRow] = traitlets.List().tag(sync=True)
    sources: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    interval = traitlets.Unicode("").tag(sync=True)
    recording = traitlets.Unicode("").tag(sync=True)
    selection = traitlets.Unicode("").tag(sync=True)

    def on_request(self, act: Act) -> None:
        """Call `act` with every request of a page."""

        def receive(_widget: object, content: Mapping[str, Any], _buffers: object) -> None:
            if isinstance(content, Mapping) and isinstance(content.get("kind"), str):
                act(content)

        self.on_msg(receive)

    def answer(self, field: str, problem: str = "", done: str = "") -> None:
        """Say next to a field what could not be done, or that it was."""
        self.send({"kind": "answer", "field": field, "problem": problem, "done": done})

    def offer_file(self, name: str, contents: bytes) -> None:
        """Have the browser download a file."""
        self.send({"kind": "file", "name": name}, [contents])

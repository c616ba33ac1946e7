"""A Bokeh document as an ipywidget: streamed in numbered patches, complete again after a reload."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import anywidget
import bokeh
import traitlets
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent, RootAddedEvent
from bokeh.models.ui import UIElement
from bokeh.protocol import Protocol

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.view.widgets.server_extension import BOKEH_FILES, bokeh_script

HERE = Path(__file__).parent
# patches that reach a page before its script runs are lost; these follow-ups repair that without a request of the page
KEYFRAMES_AFTER_STATE_SECONDS = (1.0, 4.0)
NAVIGATION = ("pan", "zoom", "latest")
KEYFRAME_EVERY_SECONDS = 30.0


class LiveFigure(anywidget.AnyWidget):
    """A Bokeh document shown by any number of views in any number of pages.

    All changes inside `with figure.one_message():` travel as one numbered message. A page that loads gets the whole
    document with the widget's state; one that misses a number gets a new snapshot. May be changed from any one thread
    at a time; events from a browser arrive on the kernel's own threads and take the same lock.

    Parameters
    ----------
    roots
        Bokeh models; those whose first of `css_classes` is the same share a grid that fills the width.
    clock
        Times the keyframes.

    Examples
    --------
    >>> from bokeh.plotting import figure
    >>> live = LiveFigure([figure(width=300, height=200)])
    >>> with live.one_message():
    ...     live.document.roots[0].title.text = "new"
    >>> live.sent_patches
    1
    """

    # as text: anywidget would keep every widget of a class whose script is a path
    _esm = (HERE / "live_figure.js").read_text(encoding="utf-8")
    _css = (HERE / "live_figure.css").read_text(encoding="utf-8")
    _bokeh_version = traitlets.Unicode(bokeh.__version__).tag(sync=True)
    _snapshot = traitlets.Any(None, allow_none=True).tag(sync=True)
    _live = traitlets.Bool(False).tag(sync=True)

    def __init__(self, roots: Sequence[UIElement], *, clock: Clock | None = None) -> None:
        self._lock = threading.RLock()
        self._clock: Clock = clock or SystemClock()
        self._waiting: list[DocumentPatchedEvent] | None = None
        self._keyframes: list[float] = []
        self._seq = 0
        self.sent_patches = 0
        self.document = Document()
        self.show(roots)
        super().__init__()
        self._navigate: Callable[[Mapping[str, Any]], None] = lambda _content: None
        self.document.on_change_dispatch_to(self)
        self.on_msg(self._on_browser)

    @contextmanager
    def one_message(self) -> Iterator[None]:
        """Send all changes made inside as one message."""
        with self._lock:
            if self._waiting is not None:
                yield
                return
            self._waiting = []
            try:
                with self.document.models.freeze():
                    yield
            finally:
                events, self._waiting = self._waiting, None
                self._emit(events)
                self._send_keyframe_if_due()

    def show(self, roots: Sequence[UIElement]) -> None:
        """Add those of the roots that are not shown yet; pages then draw the whole document again."""
        with self.document.models.freeze():
            for root in roots:
                if root.document is None:
                    self.document.add_root(root)

    def on_navigate(self, act: Callable[[Mapping[str, Any]], None]) -> None:
        """Call `act` when a person pans (`kind`, `share`), zooms (`kind`, `at`, `factor`) or asks for `latest`."""
        self._navigate = act

    def set_live(self, is_live: bool) -> None:
        """Set whether the pages expect changes: silence is then reported on them."""
        self._live = is_live

    def send_snapshot(self) -> None:
        """Send the whole document to every page; a page that missed nothing only keeps it as its new base."""
        with self._lock:
            self.send({"kind": "snapshot", **self._take_snapshot()})

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Widget state with the present document, for a page that loads."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        if key is None or "_snapshot" in key:
            with self._lock:
                state["_snapshot"] = self._take_snapshot()
                now = self._clock.monotonic_seconds()
                self._keyframes = [now + after for after in KEYFRAMES_AFTER_STATE_SECONDS]
        return state

    def close(self) -> None:
        """Remove the widget from every page; may be called twice."""
        if self.comm is not None:
            self.document.remove_on_change(self)
        super().close()

    def _take_snapshot(self) -> dict[str, Any]:
        return {"seq": self._seq, "doc": serialize_json(self.document.to_json(deferred=False))}

    def _send_keyframe_if_due(self) -> None:
        now = self._clock.monotonic_seconds()
        if self._keyframes and now >= self._keyframes[0]:
            self._keyframes = [at for at in self._keyframes if at > now] or [now + KEYFRAME_EVERY_SECONDS]
            self.send_snapshot()

    def _document_patched(self, event: DocumentPatchedEvent) -> None:
        with self._lock:
            if self._waiting is None:
                self._emit([event])
            else:
                self._waiting.append(event)

    def _emit(self, events: list[DocumentPatchedEvent]) -> None:
        if any(isinstance(event, RootAddedEvent) for event in events):
            self._seq += 1  # a page that sees a later number in a snapshot starts from it
            self.send_snapshot()
            return
        by_view: dict[str | None, list[DocumentPatchedEvent]] = {}
        for event in events:
            by_view.setdefault(event.setter if isinstance(event.setter, str) else None, []).append(event)
        for view, group in by_view.items():
            self._send_patch(view, group)

    def _send_patch(self, view: str | None, events: list[DocumentPatchedEvent]) -> None:
        message = Protocol().create("PATCH-DOC", events)
        self._seq += 1
        self.sent_patches += 1
        content = {
            "kind": "patch",
            "seq": self._seq,
            "view": view,
            "content": message.content_json,
            "ids": [buffer.id for buffer in message.buffers],
        }
        self.send(content, [buffer.to_bytes() for buffer in message.buffers])

    def _on_browser(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        kind = content.get("kind")
        if kind == "hello":
            self.send_snapshot()
        elif kind == "bokehjs":
            self.send({"kind": "bokehjs"}, [packed_bokeh()])
        elif kind in NAVIGATION:
            self._navigate(content)
        elif kind == "event":
            with self.one_message():
                self.document.apply_json_patch(content["patch"], setter=content["view"])


@lru_cache(maxsize=1)
def packed_bokeh() -> bytes:
    """BokehJS of the installed bokeh, gzipped: for pages without a Jupyter server of ours."""
    return gzip.compress(b"\n;\n".join(bokeh_script(name).read_bytes() for name in BOKEH_FILES), 6)

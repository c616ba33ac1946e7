"""The one thread that draws: four frames a second, while there is something to draw."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

FRAME_SECONDS = 0.25
JOIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Pump:
    """Calls `draw` every frame from its own thread, until `draw` says that nothing more comes.

    `wake` starts the thread again; what was written before the thread ended is always drawn.

    Parameters
    ----------
    draw
        Draws what is new; returns whether more will follow. An exception is logged, and drawing goes on.
    frame_seconds
        Time between frames.
    """

    def __init__(self, draw: Callable[[], bool], frame_seconds: float = FRAME_SECONDS) -> None:
        self._draw, self._frame_seconds = draw, frame_seconds
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._wanted = False

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def wake(self) -> None:
        """Have a frame drawn soon; cheap, from any thread."""
        with self._lock:
            self._wanted = True
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="aiops-view-pump", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread, for good; may be called twice."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while not self._closing.wait(self._frame_seconds):
            with self._lock:
                self._wanted = False
            more = self._draw_safely()
            with self._lock:
                if not more and not self._wanted:
                    break
        with self._lock:
            self._thread = None

    def _draw_safely(self) -> bool:
        try:
            return self._draw()
        except Exception:
            _log.exception("the dashboard could not draw a frame")
            return True

"""SIGINT and SIGTERM as a wish to end: what runs is stopped in order, and the recording sealed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

WANTED = (signal.SIGINT, signal.SIGTERM)


class StopWish:
    """Whether somebody asked to end; `exit_code` is 128 + the signal's number, 0 if nobody did."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.exit_code = 0
        self._wake = wake

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; a second one does not wait for an orderly end."""
        if self.exit_code:
            raise KeyboardInterrupt
        self.exit_code = 128 + number
        self._wake()


@contextmanager
def stop_wishes(wake: Callable[[], None]) -> Iterator[StopWish]:
    """Collect signals inside the block; `wake` is called from the handler and must be reentrant."""
    wish = StopWish(wake)
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # only there can handlers be set
        before = {number: signal.signal(number, wish) for number in WANTED}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""SIGINT and SIGTERM as a wish to stop: the run is stopped in order, and the recording sealed."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from aiops_nb.session.recording import Recording

WANTED = (signal.SIGINT, signal.SIGTERM)


class StopWish:
    """Whether a signal asked to stop; `exit_code` is 128 + its number, 0 if none came."""

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


OK = 0
MISTAKE = 1
USAGE = 2
ALERTED = 3
INTERRUPTED = 130


def code_of(recording: Recording) -> int:
    """Exit code of a command that read a recording: 1 if a file of it could not be read."""
    return MISTAKE if recording.unreadable else OK


FORM = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


@contextmanager
def logging_to(verbosity: int, log_file: Path | None) -> Iterator[None]:
    """Show warnings (`verbosity` 0), info (1) or debug messages (2); a file gets info at least.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    level = LEVELS[min(verbosity, len(LEVELS) - 1)]
    handlers: list[logging.Handler] = [_at(level, logging.StreamHandler())]
    if log_file is not None:
        handlers.append(_at(min(level, logging.INFO), logging.FileHandler(log_file, encoding="utf-8")))
    with _attached(logging.getLogger("aiops_nb"), handlers):
        yield


def _at(level: int, handler: logging.Handler) -> logging.Handler:
    formatter = logging.Formatter(FORM, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(level)
    return handler


@contextmanager
def _attached(logger: logging.Logger, handlers: list[logging.Handler]) -> Iterator[None]:
    before = logger.level
    logger.setLevel(min(handler.level for handler in handlers))
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(before)

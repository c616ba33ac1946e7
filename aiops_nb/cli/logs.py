"""Logging of the command line: to the error stream, and to a file if one is named; never among the results."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORM = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


@contextmanager
def logging_to(verbosity: int, log_file: Path | None) -> Iterator[None]:
    """Show warnings (`verbosity` 0), also infos (1) or everything (2); a file gets infos at least.

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

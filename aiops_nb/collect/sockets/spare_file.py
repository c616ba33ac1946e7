"""File descriptors in reserve: connections must not take the last, which the recording and imports need."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)
RESERVED_FILES = 64
# FD_SETSIZE of Python on Windows is 512; the listener, the wake-up pair and some reserve count too.
MOST_WAITED_FOR = 500 if sys.platform == "win32" else 1_000_000


def takes_a_reserved_file(descriptor: int) -> bool:
    """Whether a descriptor is one of the last that this process may open: the lowest free number is always taken first.

    Examples
    --------
    >>> takes_a_reserved_file(3)
    False
    """
    if sys.platform == "win32":  # sockets are no files there
        return False
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit != resource.RLIM_INFINITY and descriptor >= limit - min(RESERVED_FILES, limit // 4)


class SpareFile:
    """A descriptor that is given up for a moment when there is no other, so that a connection can still be refused.

    Without one, a process that may open no more files cannot accept a connection even to close it: it stays waiting,
    and is offered again and again.

    Examples
    --------
    >>> spare = SpareFile()
    >>> with spare.lent():
    ...     os.close(os.open(os.devnull, os.O_RDONLY))
    >>> spare.close()
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._take()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """One more file can be opened within, and must be closed there."""
        self.close()
        try:
            yield
        finally:
            self._take()

    def close(self) -> None:
        """Give it up; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self) -> None:
        with suppress(OSError):  # another thread was faster; next time, then
            self._descriptor = os.open(os.devnull, os.O_RDONLY)

"""The writer's lock: one writer for each recording, released by the operating system when it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from aiops_nb.core.errors import RecordingError
from aiops_nb.record.files import is_regular, open_regular
from aiops_nb.record.format import LOCK


def take_lock(root: Path) -> FileLock:
    """Become the writer of a recording.

    Raises
    ------
    RecordingError
        If another writer is at work.
    """
    lock = _lock(root)
    try:
        lock.acquire(timeout=1.0, poll_interval=0.02)  # a reader holds it for a moment while it repairs
    except Timeout:
        raise RecordingError(f"{root}: expected no other writer, but one is recording there now") from None
    return lock


def try_lock(root: Path) -> FileLock | None:
    """The lock, or None if a writer holds it.

    Raises
    ------
    OSError
        If the directory cannot be written, so that no lock can be had.
    """
    lock = _lock(root)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def is_locked(root: Path) -> bool:
    """Whether a writer is at work; nothing is written to find out."""
    try:
        file = open_regular(root / LOCK)
    except OSError:
        return False
    with file:
        return _is_held(file.fileno())


if sys.platform == "win32":

    def _is_held(descriptor: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return True
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        return False

else:

    def _is_held(descriptor: int) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # several readers may look at once
        except OSError:
            return True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False


def _lock(root: Path) -> FileLock:
    path = root / LOCK
    if os.path.lexists(path) and (not is_regular(path) or path.stat().st_nlink > 1):
        raise RecordingError(f"{path}: expected a file of its own, got a link")
    # The monitor makes the recorder in one thread and closes it in another.
    return FileLock(path, thread_local=False)

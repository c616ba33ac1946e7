"""The writer's lock: one writer for each recording, released by the operating system when it dies."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from aiops_nb.core.errors import RecordingError
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
    """Whether a writer is at work."""
    if not (root / LOCK).exists():
        return False
    try:
        lock = try_lock(root)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None


def _lock(root: Path) -> FileLock:
    # The monitor makes the recorder in one thread and closes it in another.
    return FileLock(root / LOCK, thread_local=False)

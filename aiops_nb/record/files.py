"""Files of a recording: regular ones, opened without following links, read up to a limit, replaced as a whole.

A recording may come from somebody else. None of its names is followed out of its directory, and nothing that could be
read without an end (a pipe, a device) is opened.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

MAX_TEXT_BYTES = 16 << 20  # a manifest, a configuration, labels
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def is_regular(path: Path) -> bool:
    """Whether a path is a regular file: neither missing nor a link, a directory, a pipe or a device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_directory(path: Path) -> bool:
    """Whether a path is a directory and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        If it is missing, a link or not a regular file.
    """
    if path.is_symlink():  # where the system has no O_NOFOLLOW
        raise OSError(errno.ELOOP, "expected a regular file, got a link", str(path))
    descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "expected a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_limited(path: Path, limit_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """The content of a regular file.

    Raises
    ------
    OSError
        If it is longer than the limit, missing, a link or not a regular file.
    """
    with open_regular(path) as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"expected at most {limit_bytes:,} bytes", str(path))
    return content


def create_file(path: Path) -> BinaryIO:
    """Open a new file for writing; one that has the name is removed first, so that no link is written through.

    Raises
    ------
    OSError
        If the directory cannot be written, or the name was taken in between.
    """
    with suppress(FileNotFoundError):
        path.unlink()
    return path.open("xb")


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that a crash leaves the old one or the new one."""
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with create_file(unfinished) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a directory, or find one.

    Raises
    ------
    OSError
        If the name is a link or something else.
    """
    with suppress(FileExistsError):
        folder.mkdir()
    if not is_directory(folder):
        raise OSError(errno.ENOTDIR, "expected a directory of its own, got a link or a file", str(folder))


class SpareDescriptors:
    """Descriptors kept open, so that a file can still be opened when the process has no free one.

    Parameters
    ----------
    count
        How many; they are opened at once.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: list[int] = []
        self.refill()

    def release(self) -> None:
        """Free one for the file that is opened next."""
        if self._kept:
            os.close(self._kept.pop())

    def refill(self) -> None:
        """Take what is free again, as far as there is any."""
        with suppress(OSError):
            while len(self._kept) < self._count:
                self._kept.append(os.open(os.devnull, os.O_RDONLY))

    def close(self) -> None:
        """Free all; may be called twice."""
        self._count = 0
        while self._kept:
            self.release()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system lets a folder be opened (Windows does not)."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Which rows derived tables were made of: every sealed segment, by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from aiops_nb.record.files import is_regular, open_regular
from aiops_nb.record.format import Segment, all_segments

READ_BYTES = 1 << 20


class RowFile(msgspec.Struct, frozen=True, array_like=True):
    """A sealed segment of rows.

    Its hash is its identity. The rest is what the file system says of it: while none of that changes, nothing is read.
    """

    name: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str


def row_files(root: Path, known: Iterable[RowFile] = ()) -> tuple[RowFile, ...] | None:
    """All sealed segments of a recording as they are now; None if some rows are not sealed.

    Parameters
    ----------
    root
        The recording.
    known
        As they were before: a file that has not changed since is not read again.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    by_name = {file.name: file for file in known}
    segments = list(all_segments(root))
    if any(is_regular(segment.live) for segment in segments):
        return None
    return tuple(_row_file(segment, by_name) for segment in segments)


def row_file(segment: Segment) -> RowFile:
    """One sealed segment."""
    return _row_file(segment, {})


def are_same(recorded: Iterable[RowFile], found: Iterable[RowFile]) -> bool:
    """Whether both are the same rows, wherever they lie."""
    return [(file.name, file.sha256) for file in recorded] == [(file.name, file.sha256) for file in found]


def hash_of_rows(files: Iterable[RowFile]) -> str:
    """One hash of them all."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {file.sha256}\n".encode())
    return digest.hexdigest()


def _row_file(segment: Segment, known: dict[str, RowFile]) -> RowFile:
    path = segment.sealed
    name = f"{segment.table}/{path.name}"
    found = path.lstat()
    seen = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    before = known.get(name)
    if before is not None and seen == (before.size_bytes, before.mtime_ns, before.ctime_ns, before.inode):
        return before
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while part := file.read(READ_BYTES):
            digest.update(part)
    return RowFile(name, *seen, digest.hexdigest())

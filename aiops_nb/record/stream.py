"""Live files: Arrow IPC streams that only grow, one message for each item, readable up to a torn tail."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc

from aiops_nb.core.schemas import is_readable, widened
from aiops_nb.record.files import open_regular, sync_folder

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
# What Arrow raises on damaged names and numbers that is no error of its own.
OF_DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, SystemError)
GATHERED_BYTES = 1 << 13  # a message has a hundred parts, most of them of a few bytes


class LiveFile:
    """Appends batches; each is passed to the operating system whole before `append` returns, or not at all.

    A message is built in memory and written in one call: a crash tears at most the last one. A batch that brings
    other dictionaries than the one before brings them whole (a replacement, never a delta).
    """

    def __init__(self, path: Path, schema: pa.Schema, *, fsync: bool = False) -> None:
        self._path = path
        self._file = path.open("xb", buffering=0)
        self._fsync = fsync
        if fsync:
            sync_folder(path.parent)
        self._message = io.BytesIO()
        self._gathering = pa.BufferedOutputStream(pa.PythonFile(self._message, "w"), GATHERED_BYTES)
        self._writer = ipc.new_stream(self._gathering, schema)
        self.size_bytes = 0

    def append(self, batch: pa.RecordBatch) -> None:
        """Put one batch on disk; after an OSError the file is as it was before.

        Raises
        ------
        OSError
            If the disk takes no more, or the file was removed: what is appended to it would be lost.
        """
        if os.fstat(self._file.fileno()).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "the file was removed while it was written", str(self._path))
        self._writer.write_batch(batch)
        self._gathering.flush()
        try:
            self._write_message()
        except OSError:
            self._cut_back()
            raise

    def _write_message(self) -> None:
        with self._message.getbuffer() as message:
            written = 0
            while written < len(message):
                written += self._file.write(message[written:]) or 0
        if self._fsync:
            os.fsync(self._file.fileno())
        self.size_bytes += written
        self._message.seek(0)
        self._message.truncate()

    def _cut_back(self) -> None:
        self._file.seek(self._file.truncate(self.size_bytes))

    def close(self) -> None:
        """Mark the end, if the disk still takes eight bytes; a file without the mark is read all the same.

        A file that no batch came into is removed.
        """
        with suppress(OSError), self._file:
            if self.size_bytes and self._file.write(END_OF_STREAM) != len(END_OF_STREAM):
                self._cut_back()
        if not self.size_bytes:
            self._path.unlink(missing_ok=True)


class LiveStream:
    """The whole batches of a live file, in order; iterate first, then ask how it ended.

    Columns that a file of an earlier version does not have are null. Reads into memory and never maps the file: a
    writer may cut it short while it is read.

    Attributes
    ----------
    items_total
        Whole batches read so far.
    end_bytes
        Where the last of them ends.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self.items_total = 0
        self.end_bytes = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(self._path)) as source, suppress(pa.ArrowException, OSError, StopIteration, *OF_DAMAGE):
            reader = ipc.open_stream(source)
            before = -1
            while is_readable(reader.schema, self._schema):
                batch = widened(reader.read_next_batch(), self._schema)
                before = checked_seq(batch, before)
                self.items_total, self.end_bytes = self.items_total + 1, source.tell()
                yield batch

    @property
    def rest_bytes(self) -> int:
        """Length of what follows the last whole batch."""
        return self._path.stat().st_size - self.end_bytes

    @property
    def is_closed(self) -> bool:
        """Whether the writer had finished with the file."""
        return self.rest_bytes == len(END_OF_STREAM) and self.rest(len(END_OF_STREAM)) == END_OF_STREAM

    def rest(self, limit_bytes: int) -> bytes:
        """What follows the last whole batch, at most so much of it: the beginning of an unfinished message."""
        with open_regular(self._path) as file:
            file.seek(self.end_bytes)
            return file.read(limit_bytes)


def checked_seq(batch: pa.RecordBatch, before: int) -> int:
    """The seq of a batch that makes sense: power loss can leave a message of the right length, filled with zeros."""
    batch.validate(full=True)
    if batch.num_rows == 0:
        raise pa.ArrowInvalid("expected rows, got none")
    if any(batch.column(place).null_count for place in range(3)):
        raise pa.ArrowInvalid("expected seq, time and source in every row, got nulls")
    first, last = batch.column(0)[0].as_py(), batch.column(0)[-1].as_py()
    if not before < first == last:
        raise pa.ArrowInvalid(f"expected one seq above {before}, got {first} to {last}")
    return int(first)

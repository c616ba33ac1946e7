"""What a writer appends to a recording, read item by item while it is written."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.ipc as ipc

from aiops_nb.core.schemas import TABLES, TableName, is_readable, widened
from aiops_nb.core.types import Item
from aiops_nb.record.blocks import Span, segment_blocks, segment_extents
from aiops_nb.record.commands import with_present_commands
from aiops_nb.record.files import is_regular, open_regular
from aiops_nb.record.format import Segment, segments
from aiops_nb.record.items import recorded_items
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.stream import END_OF_STREAM, OF_DAMAGE, checked_seq

PIECE_BYTES = 1 << 24  # a live file is read in such pieces: a long one is not held whole


class GrowingFile:
    """The batches that were appended to a live file since it was last asked; each is given once.

    The file is kept open, so that what was appended before it is sealed and removed can still be read.

    Parameters
    ----------
    path
        Of the live file.
    schema
        Columns that a file of an earlier version does not have are null.

    Raises
    ------
    OSError
        If it is missing, or no regular file.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file: BinaryIO = open_regular(path)
        self._schema = schema
        self._offset = 0
        self._before = -1
        self._fed = _Fed()
        self._reader: ipc.RecordBatchStreamReader | None = None
        self.is_damaged = False

    @property
    def is_closed(self) -> bool:
        """Whether everything was read and the writer has marked the end."""
        self._file.seek(self._offset)
        return self._file.read(len(END_OF_STREAM) + 1) == END_OF_STREAM

    def take(self) -> Iterator[pa.RecordBatch]:
        """The whole batches that are new; nothing more of a file after damage."""
        while not self.is_damaged and (messages := self._new_messages()):
            try:
                yield from self._batches(messages)
            except (pa.ArrowException, OSError, StopIteration, *OF_DAMAGE):
                self.is_damaged = True

    def _batches(self, messages: int) -> list[pa.RecordBatch]:
        if self._reader is None:
            self._reader = ipc.open_stream(pa.PythonFile(self._fed, "r"))
            if not is_readable(self._reader.schema, self._schema):
                raise pa.ArrowInvalid("expected the columns of its table")
        found = []
        for _ in range(messages):
            batch = widened(self._reader.read_next_batch(), self._schema)
            self._before = checked_seq(batch, self._before)
            found.append(batch)
        return found

    def _new_messages(self) -> int:
        """Hand whole messages to the reader; how many of them are batches. A torn one waits for its rest."""
        size = PIECE_BYTES
        while True:
            self._file.seek(self._offset)
            piece = self._file.read(size)
            count, end = _whole_batches(piece)
            if count or len(piece) < size:
                break
            size *= 4  # one message is longer than the piece
        self._fed.append(piece[:end])
        self._offset += end
        return count

    def is_same(self, found: os.stat_result) -> bool:
        """Whether this is the file that a status was read of."""
        return os.path.samestat(os.fstat(self._file.fileno()), found)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class _Fed(io.RawIOBase):
    """Bytes that are read in the order in which they were appended."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = b""

    def append(self, piece: bytes) -> None:
        self._waiting += piece

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = len(self._waiting) if size is None or size < 0 else size
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        return piece


def _whole_batches(piece: bytes) -> tuple[int, int]:
    """How many batches end within a piece, and where the last of them does."""
    source, count, end = pa.BufferReader(piece), 0, 0
    with suppress(pa.ArrowException, EOFError, OSError, *OF_DAMAGE):
        while True:
            message = ipc.read_message(source)
            if message.type == "record batch":
                count, end = count + 1, source.tell()
    return count, end


class RecordingTail:
    """The items of a recording: first those that are there, then those that its writer appends, each once, in order.

    Parameters
    ----------
    reader
        The recording.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from aiops_nb.core.schemas import control_batch
    >>> from aiops_nb.record.recorder import Recorder
    >>> path = mkdtemp()
    >>> with Recorder(path) as recorder:
    ...     item = recorder.write(control_batch("demo", "heartbeat", time_ns=10))
    ...     tail = RecordingTail(RecordingReader(path))
    ...     earlier = [item.seq for item in tail.recorded()]
    ...     item = recorder.write(control_batch("demo", "heartbeat", time_ns=20))
    ...     print(earlier, [item.seq for item in tail.appended()])
    [0] [1]
    >>> tail.close()
    """

    def __init__(self, reader: RecordingReader) -> None:
        self._reader = reader
        self._last_seq = -1
        self._done: dict[TableName, int] = dict.fromkeys(TABLES, -1)
        self._open: dict[TableName, tuple[Segment, GrowingFile]] = {}
        self._held: list[Item] = []

    def recorded(self) -> Iterator[Item]:
        """The items on disk when this begins, joined as for a replay. To be read first, and to its end."""
        for item in self._reader.joined_items():
            self._last_seq = max(self._last_seq, item.batch.column(0)[-1].as_py())
            yield item

    def appended(self) -> list[Item]:
        """The items that are new since the last call.

        A table is read while others are written, so only items are given before which no table can have another.
        """
        self._gather()
        if not self._held:
            return []
        known = max(item.seq for item in self._held)  # all before it were written before the second reading
        self._gather()
        self._held.sort(key=attrgetter("seq"))
        found = [item for item in self._held if item.seq <= known]
        self._held = self._held[len(found) :]
        where, trusted = str(self._reader.path), self._reader.trusted
        self._last_seq = known
        return [with_present_commands(item, where, trust=trusted) for item in found]

    def close(self) -> None:
        """Let go of all files."""
        for _, file in self._open.values():
            file.close()
        self._open.clear()

    def _gather(self) -> None:
        held = {item.seq for item in self._held}
        for table in TABLES:
            fresh = [item for item in self._of_table(table) if item.seq > self._last_seq and item.seq not in held]
            self._held += fresh

    def _of_table(self, table: TableName) -> Iterator[Item]:
        while True:
            listed = segments(self._reader.path, table)
            if table in self._open:
                segment, file = self._open[table]
                # asked before reading: nothing is appended to a file that has ended
                ended = (
                    file.is_closed
                    or any(one.number > segment.number for one in listed)
                    or not _is_file_of(segment, file)
                )
                yield from (_item(table, batch) for batch in file.take())
                if not (ended or file.is_closed):
                    return
                file.close()
                del self._open[table]
                self._done[table] = segment.number
            following = next((one for one in listed if one.number > self._done[table]), None)
            if following is None:
                return
            yield from self._begin(following)

    def _begin(self, segment: Segment) -> Iterator[Item]:
        """Open the live file of a segment; one that is sealed already is read at once."""
        with suppress(OSError):
            self._open[segment.table] = segment, GrowingFile(segment.live, TABLES[segment.table])
            return
        if not is_regular(segment.sealed):
            self._done[segment.table] = segment.number
            return
        try:
            if max((extent.last_seq for extent in segment_extents(segment)), default=-1) > self._last_seq:
                yield from recorded_items(segment.table, segment_blocks(segment, Span()))
        except (pa.ArrowException, OSError) as problem:
            self._reader.note_unreadable(segment, problem)
        self._done[segment.table] = segment.number


def _is_file_of(segment: Segment, file: GrowingFile) -> bool:
    """Whether the live file still has its name: else it was sealed, and nothing is appended to it any more."""
    try:
        found = segment.live.lstat()
    except OSError:
        return False
    return file.is_same(found)


def _item(table: TableName, batch: pa.RecordBatch) -> Item:
    return Item(batch.column(0)[0].as_py(), table, batch.column(2)[0].as_py(), batch)

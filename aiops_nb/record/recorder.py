"""The recorder: a tap that puts every item on disk before the pipeline sees it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import TracebackType

import msgspec
import pyarrow as pa

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.core.types import Item
from aiops_nb.record.files import SpareDescriptors, make_folder, replace_file
from aiops_nb.record.format import (
    CONFIG,
    MANIFEST,
    Segment,
    hash_of_config,
    make_directory,
    new_manifest,
    read_manifest,
    write_manifest,
)
from aiops_nb.record.lock import take_lock
from aiops_nb.record.recovery import next_positions, recover
from aiops_nb.record.sealing import check_room, seal
from aiops_nb.record.stream import LiveFile
from aiops_nb.record.tap import placed

_log = logging.getLogger(__name__)


class Recorder:
    """Gives every item its place and appends it to the recording; creates the directory, or goes on with it.

    When `write` returns, the operating system has the rows: they outlive the death of this process, and with `fsync`
    that of the machine. A disk that is full, a directory that is removed or a file that cannot be opened ends the
    recording, not the stream: `write` raises once, nothing partial
    is left in the files, and from then on items only get their place.

    Parameters
    ----------
    path
        The directory; its parents are made.
    config_yaml
        The configuration of this run, kept with the rows.
    segment_rows, segment_seconds
        A segment is closed at the first item after either is reached; `seal_pending` then makes Parquet of it.
    fsync
        Wait for the disk at every item.
    clock
        For the age of a segment and the time in the manifest; never for rows.

    Attributes
    ----------
    stopped_reason
        Why nothing is stored any more, else None.
    repairs
        What a writer before this one had left to repair, a sentence each.

    Raises
    ------
    RecordingError
        If the directory holds something else or has another writer; from `write`, once, when the disk is full.
    FormatVersionError
        If a newer version wrote the recording.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from aiops_nb.core.schemas import make_batch
    >>> columns = {"time": [1, 2], "target": ["h", "h"], "metric": "cpu_ratio", "value": [0.5, 0.6]}
    >>> with Recorder(mkdtemp()) as recorder:
    ...     [recorder.write(make_batch("samples", "host", columns)).seq for _ in range(3)]
    [0, 1, 2]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        config_yaml: str = "",
        segment_rows: int = 1_000_000,
        segment_seconds: float = 600.0,
        fsync: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.path = Path(path)
        self.stopped_reason: str | None = None
        self._segment_rows, self._segment_seconds, self._fsync = segment_rows, segment_seconds, fsync
        self._clock = clock or SystemClock()
        self._order = threading.Lock()
        self._sealing = threading.Lock()
        self._files: dict[TableName, LiveFile] = {}
        self._pending: list[Segment] = []
        self._reported: set[Segment] = set()
        self._rows = 0
        self._opened_seconds = 0.0
        self._is_open = True
        self._open(config_yaml)
        self._spare = SpareDescriptors(len(TABLES))

    def _open(self, config_yaml: str) -> None:
        pa.array([None])  # pyarrow imports pandas at its first conversion; later there may be no free descriptor
        try:
            make_directory(self.path)
            self._lock = take_lock(self.path)
        except OSError as problem:
            raise RecordingError(f"{self.path}: expected a directory to write to, got {problem}") from None
        try:
            self.repairs = self._prepare(config_yaml)
            self._seq, self._number = next_positions(self.path)
        except (pa.ArrowException, OSError) as problem:
            self._lock.release()
            raise RecordingError(f"{self.path}: cannot be written: {problem}") from None
        except RecordingError:
            self._lock.release()
            raise

    def _prepare(self, config_yaml: str) -> tuple[str, ...]:
        if not (self.path / MANIFEST).exists():
            write_manifest(self.path, new_manifest(self._clock.now_ns()))
        manifest = read_manifest(self.path)
        if config_yaml:
            replace_file(self.path / CONFIG, config_yaml.encode())
            write_manifest(self.path, msgspec.structs.replace(manifest, config_hash=hash_of_config(config_yaml)))
        return recover(self.path)

    def write(self, batch: pa.RecordBatch) -> Item:
        """Give a batch its place and put it on disk.

        Raises
        ------
        RecordingError
            Once, when the disk takes no more; called again with the same batch it returns the item, not stored.
            Always after `close`.
        BatchError
            If the batch could not be replayed; it gets no place.
        """
        with self._order:
            if not self._is_open:
                raise RecordingError(f"{self.path}: expected an open recording, but it is closed")
            item = placed(batch, self._seq)
            if self.stopped_reason is None:
                self._store(item)
            self._seq += 1
        return item

    def _store(self, item: Item) -> None:
        if self._is_due():
            self._rotate()
        try:
            self._file(item.table).append(item.batch)
        except OSError as problem:
            self.stopped_reason = (
                f"{self.path}: recording stopped before item {item.seq}: {problem.strerror or problem}"
            )
            raise RecordingError(self.stopped_reason) from problem
        self._rows += item.batch.num_rows

    def _is_due(self) -> bool:
        age_seconds = self._clock.monotonic_seconds() - self._opened_seconds
        return bool(self._files) and (self._rows >= self._segment_rows or age_seconds >= self._segment_seconds)

    def _file(self, table: TableName) -> LiveFile:
        if not self._files:
            self._opened_seconds = self._clock.monotonic_seconds()
        if table not in self._files:
            segment = Segment(self.path, table, self._number)
            self._spare.release()
            make_folder(segment.live.parent)
            self._files[table] = LiveFile(segment.live, TABLES[table], fsync=self._fsync)
        return self._files[table]

    def rotate(self) -> None:
        """Close the live files; the next item begins the next segment."""
        with self._order:
            self._rotate()

    def _rotate(self) -> None:
        for table, file in self._files.items():
            file.close()
            if file.size_bytes:
                self._pending.append(Segment(self.path, table, self._number))
        self._spare.refill()
        self._number += bool(self._files)
        self._files, self._rows = {}, 0

    def seal_pending(self) -> int:
        """Turn closed segments into Parquet; meant for a thread of its own, safe while another thread calls `write`.

        Returns how many were sealed. One that cannot be (the disk is full) stays as it is, readable, until next time.
        """
        with self._sealing:
            with self._order:
                pending, self._pending = self._pending, []
            unsealed = [segment for segment in pending if not self._try_seal(segment)]
            with self._order:
                self._pending = unsealed + self._pending
        return len(pending) - len(unsealed)

    def _try_seal(self, segment: Segment) -> bool:
        try:
            check_room(segment)
            seal(segment)
        except (pa.ArrowException, OSError) as problem:
            _log.log(
                logging.DEBUG if segment in self._reported else logging.WARNING, "%s is left: %s", segment.live, problem
            )
            self._reported.add(segment)
            return False
        return True

    def close(self) -> None:
        """Seal everything and let go of the lock; may be called twice."""
        self.rotate()
        self.seal_pending()
        with self._order:
            self._is_open = False
            self._spare.close()
            self._lock.release()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

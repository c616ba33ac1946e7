"""Reading a recording, sealed or live, without loading it whole."""

from __future__ import annotations

import heapq
import logging
import os
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.quantities import printable
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.core.types import Item
from aiops_nb.record.blocks import Extent, Span, is_live_file, segment_blocks, segment_extents
from aiops_nb.record.commands import with_present_commands
from aiops_nb.record.files import is_regular, read_limited
from aiops_nb.record.format import CONFIG, Manifest, Segment, all_segments, foreign_folders, read_manifest, segments
from aiops_nb.record.inspection import check_files
from aiops_nb.record.items import joined_items, recorded_items
from aiops_nb.record.lock import is_locked, try_lock
from aiops_nb.record.recovery import examine, needs_recovery, recover

_log = logging.getLogger(__name__)

Cut: TypeAlias = Callable[[TableName, Iterator[pa.RecordBatch]], Iterator[Item]]


class RecordingReader:
    """A recording opened for reading, also while another process writes it.

    Nothing is written and no link is followed, unless `repair` is set. A file that cannot be read is named in `repairs`
    and in a warning, and its rows are left out; all others are read.

    Parameters
    ----------
    path
        The directory.
    repair
        Whether to seal what a writer that died left, as the next writer would; else its rows are read as they are.
    trust
        Whether its rules may run estimators of other libraries; else its items are refused if they do.

    Attributes
    ----------
    path
        The directory.
    manifest
        Format version, versions of the writer, when it was made.
    trusted
        Whether its rules may run estimators.

    Raises
    ------
    RecordingError
        If the directory is not a recording.
    FormatVersionError
        If a newer version wrote it.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from aiops_nb.core.schemas import control_batch
    >>> from aiops_nb.record.recorder import Recorder
    >>> path = mkdtemp()
    >>> with Recorder(path) as recorder:
    ...     items = [recorder.write(control_batch("demo", "heartbeat", time_ns=time)) for time in (10, 20, 30)]
    >>> reader = RecordingReader(path)
    >>> [item.seq for item in reader.items(start_ns=20)], reader.time_range_ns
    ([1, 2], (10, 31))
    """

    def __init__(self, path: str | Path, *, repair: bool = False, trust: bool = False) -> None:
        self.path = Path(path)
        self.trusted = trust
        read_manifest(self.path)
        self._notes: list[str] = []
        self._unreadable: set[Path] = set()
        self._sealed_extents: dict[Segment, list[Extent]] = {}
        for folder in foreign_folders(self.path):
            self._unreadable.add(folder)
            self._note(f"{folder}: expected a directory, got a link or a file; it is not followed")
        self._inspect()
        if needs_recovery(self.path):
            self._recover(repair)
        self.manifest: Manifest = read_manifest(self.path)

    def _inspect(self) -> None:
        """Look at all files in one go; one that is unknown later is looked at when it is opened."""
        files = [segment.sealed for segment in all_segments(self.path)]
        if not self.is_live:
            files += [segment.live for segment in all_segments(self.path)]
        check_files([file for file in files if is_regular(file)])

    def _recover(self, repair: bool) -> None:
        if repair:
            try:
                _recover_if_dead(self.path)
                return
            except (pa.ArrowException, OSError) as problem:
                why = f"nothing was repaired on disk: {problem}"
        elif self.is_live:
            return
        else:
            why = "nothing was repaired on disk; the next writer does it, or open_recording(path, repair=True)"
        sentences = examine(self.path)
        for sentence in (*sentences, f"{self.path}: {why}") if sentences else ():
            self._note(sentence)

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes.append(sentence)
            _log.warning("%s", sentence)

    def note_unreadable(self, segment: Segment, problem: Exception) -> None:
        """Name a file that cannot be read in `repairs` and `unreadable`."""
        path = segment.sealed if os.path.lexists(segment.sealed) else segment.live
        self._unreadable.add(path)
        self._note(f"{path}: cannot be read, its rows are left out: {printable(str(problem))}")

    @property
    def config_yaml(self) -> str:
        """The configuration of the latest run; empty if there was none.

        Raises
        ------
        RecordingError
            If it is a link, too long or no text.
        """
        path = self.path / CONFIG
        if not os.path.lexists(path):
            return ""
        try:
            return read_limited(path).decode("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise RecordingError(f"{path}: expected a YAML file in UTF-8, got {problem}") from None

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was repaired or cannot be read, a sentence each, as far as it was needed so far."""
        return (*self.manifest.repairs, *self._notes)

    @property
    def unreadable(self) -> tuple[Path, ...]:
        """The files whose rows are left out because they cannot be read, as far as they were needed so far."""
        return tuple(sorted(self._unreadable))

    @property
    def is_live(self) -> bool:
        """Whether a writer is at work now."""
        return is_locked(self.path)

    @property
    def row_counts(self) -> dict[TableName, int]:
        """Rows on disk by table."""
        return {table: sum(extent.rows for extent in self._table_extents(table)) for table in TABLES}

    @property
    def time_range_ns(self) -> tuple[int, int] | None:
        """[first, last + 1 ns) over all tables; None while there are no rows."""
        extents = [extent for table in TABLES for extent in self._table_extents(table)]
        return (min(e.start_ns for e in extents), max(e.end_ns for e in extents)) if extents else None

    def items(self, *, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[Item]:
        """The items as they were recorded, in order, lazily; of a live recording, those on disk when this begins.

        Commands of format 2 are given in today's form.
        Rows outside of [start_ns, end_ns) are left out, and with them items that have no other rows.
        """
        return self._merged(start_ns, end_ns, recorded_items)

    def joined_items(
        self, *, max_rows: int = 1 << 14, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[Item]:
        """The same rows in the same order in fewer, longer items: faster to replay, to the same results.

        Neighbours of one table and one source are joined up to `max_rows` rows, and longer ones cut; control items
        stay as they are, and nothing is joined across one. The `seq` column still identifies the recorded items.
        """

        def cut(table: TableName, blocks: Iterator[pa.RecordBatch]) -> Iterator[Item]:
            return recorded_items(table, blocks) if table == "control" else joined_items(table, blocks, max_rows)

        return self._merged(start_ns, end_ns, cut)

    def _merged(self, start_ns: int | None, end_ns: int | None, cut: Cut) -> Iterator[Item]:
        span = Span(start_ns, end_ns, self._last_seq())
        tables = (cut(table, self._blocks(table, span)) for table in TABLES)
        for item in heapq.merge(*tables, key=attrgetter("seq")):
            yield with_present_commands(item, str(self.path), trust=self.trusted)

    def table(self, name: TableName, *, start_ns: int | None = None, end_ns: int | None = None) -> pa.Table:
        """All rows of one table with start_ns <= time < end_ns, in order of arrival."""
        blocks = self._blocks(name, Span(start_ns, end_ns))
        return pa.Table.from_batches(blocks, TABLES[name]).unify_dictionaries()

    def blocks(
        self, name: TableName, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The same rows as of `table`, lazily, in blocks of some 65,000."""
        return self._blocks(name, Span(start_ns, end_ns))

    def _last_seq(self) -> int:
        """A position whose item is on disk, and so are all before it: every table is cut there, to fit the others."""
        extents = [extent for table in TABLES for extent in self._table_extents(table)]
        return max((extent.last_seq for extent in extents), default=-1)

    def _blocks(self, table: TableName, span: Span) -> Iterator[pa.RecordBatch]:
        for segment in segments(self.path, table):
            try:
                yield from segment_blocks(segment, span)
            except (pa.ArrowException, OSError) as problem:
                self.note_unreadable(segment, problem)

    def _table_extents(self, table: TableName) -> list[Extent]:
        found: list[Extent] = []
        for segment in segments(self.path, table):
            try:
                found += self._segment_extents(segment)
            except (pa.ArrowException, OSError) as problem:
                self.note_unreadable(segment, problem)
        return found

    def _segment_extents(self, segment: Segment) -> list[Extent]:
        """A sealed segment never changes, so its extents are read once."""
        if segment in self._sealed_extents:
            return self._sealed_extents[segment]
        if is_live_file(segment):
            return segment_extents(segment)
        return self._sealed_extents.setdefault(segment, segment_extents(segment))


def _recover_if_dead(root: Path) -> None:
    lock = try_lock(root)
    if lock is None:
        return
    try:
        recover(root)
    finally:
        lock.release()

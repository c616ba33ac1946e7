"""The tables derived from a recording: found where somebody here kept them, or derived now and kept."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.types import Step
from aiops_nb.frames.moving import completed, warm_up_columns
from aiops_nb.monitor.derivation import Derivation
from aiops_nb.monitor.progress import ProgressSink
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.record.derived.secret import FOLDER_MODE, user_folder
from aiops_nb.record.derived.store import (
    CHANGES,
    DERIVED,
    MANIFEST,
    DerivedTables,
    DerivedWriter,
    read_tables,
    remove_tables,
)
from aiops_nb.record.lock import try_lock
from aiops_nb.record.reader import RecordingReader
from aiops_nb.session.verification import Comparison

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

MOST_BYTES = 2 << 30  # of one recording
UNBOUNDED = 1 << 62  # what is asked for now, and removed with the one who asked
MOST_CACHE_BYTES = 4 << 30  # of all that readers derived


class Wanted(NamedTuple):
    """A derived table, and the range of it that somebody asks for."""

    table: str
    start_ns: int | None = None
    end_ns: int | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """What a derivation for this alone keeps."""
        return frozenset({"features" if self.table.startswith("features_") else self.table})


class DerivedAccess:
    """Gives the derived tables of one recording, and derives what is missing by replaying its rows.

    What is derived is kept in the user's cache directory, never in the recording: opening one writes nothing there. Of
    a recording that is being written, or with `keeps` False, it goes to a temporary directory, and only what is asked.

    Parameters
    ----------
    reader
        The rows.
    keeps
        Whether tables that were kept earlier are used, and new ones are kept.
    """

    def __init__(self, reader: RecordingReader, *, keeps: bool = True) -> None:
        self._reader, self._keeps = reader, keeps
        self._refused: set[Path] = set()
        self._temporary: dict[tuple[Wanted, tuple[int, int] | None], DerivedTables] = {}

    def pieces(self, wanted: Wanted) -> list[pa.Table]:
        """Pieces of a table that hold a range of it."""
        tables = self.tables(wanted)
        try:
            return _read(tables, wanted)
        except (OSError, ValueError, pa.ArrowException) as problem:
            _log.warning("derived again: %s", problem)
            self._refuse(tables)
        return _read(self.tables(wanted), wanted)

    def tables(self, wanted: Wanted) -> DerivedTables:
        """Tables that hold what is wanted.

        Raises
        ------
        RecordingError
            If they had to be derived and could not be written.
        """
        kept = self.kept()
        if kept is not None and kept.reaches_back_to(wanted.table, wanted.start_ns):
            return kept
        if kept is None and self._keeps and not self._reader.is_live:
            kept = self._derive_into_cache()
            if kept is not None and kept.reaches_back_to(wanted.table, wanted.start_ns):
                return kept
        return self._derive_for_now(wanted)

    def kept(self) -> DerivedTables | None:
        """All tables of the rows as they are now, if somebody here kept them; nothing is derived."""
        if not self._keeps or self._reader.is_live:
            return None
        root, trust = self._reader.path, self._reader.trusted
        for folder in (root / DERIVED, cache_folder(root)):
            if folder not in self._refused and (found := read_tables(folder, root, trust=trust)) is not None:
                return found
        return None

    def verify(self) -> pd.DataFrame | None:
        """Derive all again and compare it with what is kept, to the byte; None if nothing is kept.

        Raises
        ------
        RecordingError
            If it cannot be derived.
        """
        kept = self.kept()
        if kept is None:
            return None
        comparison = Comparison(kept)
        derivation = Derivation(comparison, waits=True, is_packed=False)
        self._replay(derivation)
        derivation.close()
        if derivation.given_up:
            raise RecordingError(f"{self._reader.path}: cannot be verified: {derivation.given_up}")
        return comparison.frame()

    def _refuse(self, tables: DerivedTables) -> None:
        self._refused.add(tables.folder)
        self._temporary = {key: kept for key, kept in self._temporary.items() if kept is not tables}

    @contextmanager
    def being_kept(self) -> Iterator[Derivation | None]:
        """A sink that keeps what a replay of the rows makes, for those who ask later; None if it is or cannot be kept.

        The caller says that it was all with `Derivation.finish`.
        """
        if not self._keeps or self._reader.is_live or self.kept() is not None:
            yield None
            return
        folder = cache_folder(self._reader.path)
        with kept_in_cache(folder) as writer:
            derivation = None if writer is None else Derivation(writer, waits=True)
            try:
                yield derivation
            finally:
                if derivation is not None:
                    derivation.close()
                    self._refused.discard(folder)

    def _derive_into_cache(self) -> DerivedTables | None:
        """None if it cannot be kept there."""
        with self.being_kept() as derivation:
            if derivation is None:
                return self.kept()
            problems = self._replay(derivation)
            return derivation.finish(self._reader.path, problems)

    def _derive_for_now(self, wanted: Wanted) -> DerivedTables:
        rows = self._reader.time_range_ns
        if wanted.table == CHANGES:  # every derivation has all of them, whatever its range
            for (_, of_rows), tables in self._temporary.items():
                if of_rows == rows:
                    return tables
        if (wanted, rows) not in self._temporary:
            self._temporary = {(wanted, rows): self._derived_for_now(wanted)}
        return self._temporary[wanted, rows]

    def _derived_for_now(self, wanted: Wanted) -> DerivedTables:
        folder = Path(tempfile.mkdtemp(prefix="aiops-derived-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        writer = DerivedWriter(folder, UNBOUNDED)
        kinds = wanted.kinds | {CHANGES}
        bounds = {"start_ns": wanted.start_ns, "end_ns": wanted.end_ns}
        derivation = Derivation(writer, waits=True, kinds=kinds, is_packed=False, **bounds)
        problems = self._replay(derivation)
        derivation.close()
        if derivation.given_up:
            raise RecordingError(f"{folder}: derived tables cannot be written: {derivation.given_up}")
        return writer.tables(problems)

    def _replay(self, derivation: Derivation) -> dict[str, str]:
        shown = ProgressSink("analysing", self._reader.time_range_ns)

        def deliver(step: Step) -> None:
            shown.write(step)
            derivation.write(step)

        run = ReplayRun(self._reader.joined_items, None, deliver, trust=self._reader.trusted)
        try:
            run.start()
        finally:
            derivation.close()
            shown.close()
        return run.problems()


def _read(tables: DerivedTables, wanted: Wanted) -> list[pa.Table]:
    return list(completed(tables.batches(*wanted, warm_up_columns), wanted.start_ns, wanted.end_ns))


def cache_folder(root: Path) -> Path:
    """Where readers keep what they derive from a recording: by its place, as its rows are checked in any case."""
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:32]
    return user_folder("cache") / DERIVED / name


@contextmanager
def kept_in_cache(folder: Path) -> Iterator[DerivedWriter | None]:
    """A writer into the cache; None if another process writes there now, or it cannot be written."""
    lock, writer = None, None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        if (lock := try_lock(folder)) is not None:
            make_room_in_cache(folder.parent, MOST_CACHE_BYTES - MOST_BYTES, spared=folder)
            writer = DerivedWriter(folder, MOST_BYTES)
    except (OSError, RecordingError) as problem:
        _log.info("derived tables are not kept: %s", problem)
    try:
        yield writer
    finally:
        if lock is not None:
            lock.release()


def make_room_in_cache(cache: Path, most_bytes: int, *, spared: Path) -> None:
    """Remove what was derived longest ago until the rest takes at most so much."""
    folders = [one for one in cache.iterdir() if one.is_dir() and not one.is_symlink() and one != spared]
    sizes = {one: sum(file.stat().st_size for file in one.rglob("*") if file.is_file()) for one in folders}
    for folder in sorted(folders, key=_made_at):
        if sum(sizes.values()) <= most_bytes:
            return
        remove_tables(folder)
        del sizes[folder]


def _made_at(folder: Path) -> float:
    try:
        return (folder / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0

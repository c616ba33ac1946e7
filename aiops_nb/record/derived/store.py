"""Derived tables on disk: numbered Parquet segments, and a signed manifest that lists them.

Whole or not there: a segment gets its name once it is complete, and nothing is read that the manifest does not list
with its hash. So a crash at any moment leaves files that the next writer removes, and never half a segment.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from aiops_nb.record.derived.results_version import results_version
from aiops_nb.record.derived.row_files import RowFile, are_same, row_files
from aiops_nb.record.derived.secret import is_signed, signature_of
from aiops_nb.record.files import create_file, is_directory, make_folder, read_limited

_log = logging.getLogger(__name__)

DERIVED = "derived"
MANIFEST = "manifest.json"
FORMAT_VERSION = 2  # 1 kept all columns of all windows
MAX_MANIFEST_BYTES = 256 << 20  # a year of segments, a line each
MAX_SEGMENT_BYTES = 1 << 30
_TABLE = re.compile(r"[a-z_]+")
_SEGMENT = re.compile(r"_?\d{6,}\.parquet(?:\.tmp)?")


class DerivedSegment(msgspec.Struct, frozen=True, array_like=True):
    """One Parquet file of one table; the times of its rows lie in [start_ns, end_ns).

    Reading it needs those before it that reach up to `reach_ns` back.
    """

    number: int
    rows: int
    start_ns: int
    end_ns: int
    size_bytes: int
    sha256: str
    reach_ns: int = 0

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.number:06d}.parquet"


class DerivedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Of which rows and by which engine tables were derived, and their segments.

    `dropped_until_ns`: rows of a table before this moment are not kept any more, to bound the disk.
    `problems`: what could not be judged, a sentence by its part.
    `is_ended`: whether monitoring had stopped at the last row.
    `needs_trust`: whether code of other packages judged.
    """

    format_version: int = FORMAT_VERSION
    results_version: str = ""
    rows: tuple[RowFile, ...] = ()
    tables: dict[str, tuple[DerivedSegment, ...]] = {}
    dropped_until_ns: dict[str, int] = {}
    problems: dict[str, str] = {}
    is_ended: bool = False
    needs_trust: bool = False
    signature: str = ""

    @property
    def size_bytes(self) -> int:
        """What the segments take on disk."""
        return sum(segment.size_bytes for segments in self.tables.values() for segment in segments)


class DerivedTables:
    """Reads the tables of one folder, as their manifest lists them.

    Parameters
    ----------
    folder
        Where they lie.
    manifest
        What there is; see `read_manifest`.
    """

    def __init__(self, folder: Path, manifest: DerivedManifest) -> None:
        self.folder, self.manifest = folder, manifest

    @property
    def problems(self) -> dict[str, str]:
        """What could not be judged, a sentence by its part."""
        return self.manifest.problems

    def reaches_back_to(self, table: str, start_ns: int | None) -> bool:
        """Whether all of a table from this moment on is kept."""
        dropped_ns = self.manifest.dropped_until_ns.get(table)
        return dropped_ns is None or (start_ns is not None and start_ns >= dropped_ns)

    def batches(
        self,
        table: str,
        start_ns: int | None = None,
        end_ns: int | None = None,
        columns_before: Callable[[pa.Schema], list[str] | None] | None = None,
    ) -> Iterator[pa.Table]:
        """Segments of a table that hold all rows of a range, and others near it; each is read when it is due.

        Parameters
        ----------
        table
            Its name.
        start_ns, end_ns
            The range [start_ns, end_ns); None: no bound.
        columns_before
            Which columns are read of segments before the range that are only needed to read those of it.

        Raises
        ------
        OSError, pa.ArrowException
            If a segment is missing or is not the one that was written.
        """
        segments = [s for s in self.manifest.tables.get(table, ()) if end_ns is None or s.start_ns < end_ns]
        if start_ns is None:
            first_ns = None
        else:
            first_ns = min([s.start_ns - s.reach_ns for s in segments if s.end_ns > start_ns], default=start_ns)
        for segment in segments:
            if start_ns is None or segment.end_ns > start_ns:
                yield self._read(table, segment)
            elif first_ns is not None and segment.end_ns > first_ns:
                yield self._read(table, segment, columns_before)

    def _read(
        self,
        table: str,
        segment: DerivedSegment,
        columns: Callable[[pa.Schema], list[str] | None] | None = None,
    ) -> pa.Table:
        path = self.folder / table / segment.name
        content = read_limited(path, min(segment.size_bytes, MAX_SEGMENT_BYTES))
        if hashlib.sha256(content).hexdigest() != segment.sha256:
            raise OSError(f"{path}: not as it was written")
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            return file.read(None if columns is None else columns(file.schema_arrow))


class DerivedWriter:
    """Writes segments into a folder, and at the end the manifest that makes them known.

    Parameters
    ----------
    folder
        Where; it is made. What a manifest that is continued does not list is removed.
    most_bytes
        The most that all tables may take: features leave first, oldest first, then scores, never alert changes.
    continued
        The manifest of what is there already, if this goes on with it.

    Attributes
    ----------
    needs_trust
        Whether code of other packages judged.
    is_continued
        Whether there were segments already.

    Raises
    ------
    OSError
        If the folder cannot be written, or is a link.
    """

    def __init__(self, folder: Path, most_bytes: int, continued: DerivedManifest | None = None) -> None:
        self.folder, self._most_bytes = folder, most_bytes
        before = continued or DerivedManifest()
        self.is_continued = any(before.tables.values())
        self._rows = before.rows
        self._tables = {name: list(segments) for name, segments in before.tables.items()}
        self._dropped_until_ns = dict(before.dropped_until_ns)
        self._size_bytes = before.size_bytes
        self.needs_trust = before.needs_trust
        make_folder(folder)
        if continued is None:
            (folder / MANIFEST).unlink(missing_ok=True)
        _remove_unlisted(folder, self._tables)

    def write(self, name: str, table: pa.Table, start_ns: int, end_ns: int, reach_ns: int = 0) -> None:
        """Add rows of a table as one segment; their times lie in [start_ns, end_ns); see `DerivedSegment`.

        Raises
        ------
        OSError
            If the disk takes no more.
        """
        content = _parquet(table)
        listed = self._tables.setdefault(name, [])
        number = listed[-1].number + 1 if listed else 0
        digest = hashlib.sha256(content).hexdigest()
        segment = DerivedSegment(number, table.num_rows, start_ns, end_ns, len(content), digest, reach_ns)
        folder = self.folder / name
        make_folder(folder)
        unfinished = folder / f"_{segment.name}.tmp"
        try:
            with create_file(unfinished) as file:
                file.write(content)
            unfinished.replace(folder / segment.name)
        finally:
            unfinished.unlink(missing_ok=True)
        listed.append(segment)
        self._size_bytes += segment.size_bytes
        self._make_room()

    def drop_before(self, time_ns: int) -> None:
        """Remove the segments that end before a moment; alert changes stay."""
        for name, segments in self._tables.items():
            while name != CHANGES and segments and segments[0].end_ns <= time_ns:
                self._drop(name)

    def _make_room(self) -> None:
        while self._size_bytes > self._most_bytes:
            names = [name for name, segments in self._tables.items() if segments and name != CHANGES]
            features = [name for name in names if name != SCORES]
            if not names:
                return
            self._drop(min(features or names, key=lambda name: self._tables[name][0].end_ns))

    def _drop(self, name: str) -> None:
        segment = self._tables[name].pop(0)
        self._size_bytes -= segment.size_bytes
        readable_ns = segment.end_ns + max((one.reach_ns for one in self._tables[name]), default=0)
        self._dropped_until_ns[name] = max(readable_ns, self._dropped_until_ns.get(name, readable_ns))
        (self.folder / name / segment.name).unlink(missing_ok=True)

    def finish(self, root: Path, *, problems: Mapping[str, str], is_ended: bool) -> DerivedTables | None:
        """Make known what was written, for the rows that the recording holds now; None if that cannot be said.

        Raises
        ------
        OSError
            If the disk takes no more, or rows cannot be read.
        """
        rows = row_files(root, self._rows)
        if rows is None:
            return None
        manifest = self._manifest(rows, problems, is_ended=is_ended)
        write_manifest(self.folder, manifest)
        return DerivedTables(self.folder, manifest)

    def tables(self, problems: Mapping[str, str]) -> DerivedTables:
        """What was written, for the one who wrote it; nobody else will find it."""
        return DerivedTables(self.folder, self._manifest((), problems, is_ended=False))

    def _manifest(self, rows: tuple[RowFile, ...], problems: Mapping[str, str], *, is_ended: bool) -> DerivedManifest:
        return DerivedManifest(
            results_version=results_version(),
            rows=rows,
            tables={name: tuple(segments) for name, segments in self._tables.items()},
            dropped_until_ns=dict(self._dropped_until_ns),
            problems=dict(problems),
            is_ended=is_ended,
            needs_trust=self.needs_trust,
        )


CHANGES, SCORES = "changes", "scores"


def features_name(table: str) -> str:
    """The derived table of a table of features.

    Examples
    --------
    >>> features_name("requests")
    'features_requests'
    """
    return f"features_{table}"


def _parquet(table: pa.Table) -> bytes:
    """Floats by bytes of one place, whole numbers and times by their differences, words once, as a dictionary.

    Measured on an hour of 100 targets: level 3 of zstd saves 2 % more and takes 1.4 times as long.
    """
    encodings: dict[str, str] = {}
    words = []
    for field in table.schema:
        if pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_dictionary(field.type):
            words.append(field.name)
    out = io.BytesIO()
    pq.write_table(
        table,
        out,
        compression="zstd",
        compression_level=1,
        row_group_size=max(table.num_rows, 1),
        use_dictionary=words,
        column_encoding=encodings,
        write_statistics=False,
        write_page_checksum=True,
    )
    return out.getvalue()


def write_manifest(folder: Path, manifest: DerivedManifest) -> None:
    """Sign it and put it in place, whole or not at all.

    Raises
    ------
    OSError
        If the disk takes no more.
    """
    signed = msgspec.structs.replace(manifest, signature=signature_of(_unsigned(manifest)))
    unfinished = folder / f"{MANIFEST}.{os.getpid()}.tmp"
    try:
        with create_file(unfinished) as file:
            file.write(msgspec.json.encode(signed))
        unfinished.replace(folder / MANIFEST)
    finally:
        unfinished.unlink(missing_ok=True)


def read_tables(folder: Path, root: Path, *, trust: bool = False) -> DerivedTables | None:
    """The tables of a folder, if this user made them on this machine, with today's engine, of the rows of `root`.

    Anything else is passed over, as is what a recording of somebody else brings along: it is no error, the tables are
    derived again. Without `trust`, so are those that code of other packages made.
    """
    try:
        manifest = _manifest_of(folder)
        if manifest is None or not _is_current(manifest) or (manifest.needs_trust and not trust):
            return None
        found = row_files(root, manifest.rows)
    except (OSError, msgspec.DecodeError, RecursionError) as problem:
        _log.debug("%s: not used: %s", folder, problem)
        return None
    return DerivedTables(folder, manifest) if found is not None and are_same(manifest.rows, found) else None


def _manifest_of(folder: Path) -> DerivedManifest | None:
    if not is_directory(folder) or not os.path.lexists(folder / MANIFEST):
        return None
    manifest = msgspec.json.decode(read_limited(folder / MANIFEST, MAX_MANIFEST_BYTES), type=DerivedManifest)
    return manifest if is_signed(_unsigned(manifest), manifest.signature) else None


def _is_current(manifest: DerivedManifest) -> bool:
    return manifest.format_version == FORMAT_VERSION and manifest.results_version == results_version()


def _unsigned(manifest: DerivedManifest) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(manifest, signature=""))


def _remove_unlisted(folder: Path, tables: Mapping[str, list[DerivedSegment]]) -> None:
    """What a writer that died left behind, and what an older engine made."""
    for one in folder.iterdir():
        if one.name.startswith(f"{MANIFEST}.") and one.name.endswith(".tmp"):
            one.unlink(missing_ok=True)
        if not is_directory(one) or not _TABLE.fullmatch(one.name):
            continue
        listed = {segment.name for segment in tables.get(one.name, ())}
        for file in one.iterdir():
            if file.name not in listed and _SEGMENT.fullmatch(file.name):
                file.unlink(missing_ok=True)


def remove_tables(folder: Path) -> None:
    """Remove a folder of derived tables; what else lies in it stays."""
    with suppress(OSError):
        (folder / MANIFEST).unlink(missing_ok=True)
        _remove_unlisted(folder, {})
        for one in list(folder.iterdir()):
            with suppress(OSError):
                one.rmdir()
        folder.rmdir()

"""The layout of a recording: one directory, a folder for each table, numbered segments in it.

manifest.json             format version, library versions, columns, and what had to be repaired
config.yaml               the configuration of the latest run
labels.jsonl              faults and judgements, if somebody wrote them
writer.lock               held by the process that writes; the operating system releases it when that process dies
requests/000000.parquet   a sealed segment
requests/_000001.arrows   a live segment; other readers skip names that begin with an underscore
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb._version import __version__
from aiops_nb.core.errors import FormatVersionError, RecordingError
from aiops_nb.core.schemas import TABLES, TableName

FORMAT_VERSION = 3  # 2 named rules and commands otherwise (`core.earlier`); 1 had no `error_detail` and no `extra`
MANIFEST, CONFIG, LABELS, LOCK = "manifest.json", "config.yaml", "labels.jsonl", "writer.lock"
_SEGMENT_FILE = re.compile(r"_?(\d{6,})\.(?:parquet|arrows)")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording says of itself.

    `tables` holds the Arrow type of every column, `config_hash` the SHA-256 of the configuration of the latest run (""
    if there was none), `repairs` one sentence for each thing that a crash made necessary.
    """

    format_version: int
    created: str
    versions: dict[str, str]
    tables: dict[str, dict[str, str]]
    config_hash: str = ""
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One numbered part of one table: a live file that only grows, later a sealed one in its place."""

    root: Path
    table: TableName
    number: int

    @property
    def sealed(self) -> Path:
        """The Parquet file; where it exists and can be read, it is the truth."""
        return self.root / self.table / f"{self.number:06d}.parquet"

    @property
    def live(self) -> Path:
        """The Arrow stream."""
        return self.sealed.with_name(f"_{self.number:06d}.arrows")

    @property
    def unfinished(self) -> Path:
        """The Parquet file while it is being written."""
        return self.sealed.with_name(f"_{self.number:06d}.parquet.tmp")

    @property
    def cut(self) -> Path:
        """The bytes that a repair cut off a torn live file."""
        return self.sealed.with_name(f"_{self.number:06d}.cut")


def segments(root: Path, table: TableName) -> list[Segment]:
    """The segments of one table in the order of their rows."""
    folder = root / table
    names = [_SEGMENT_FILE.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return [Segment(root, table, number) for number in sorted({int(match[1]) for match in names if match})]


def all_segments(root: Path) -> Iterator[Segment]:
    """Every segment of every table."""
    for table in TABLES:
        yield from segments(root, table)


def make_directory(root: Path) -> None:
    """Make the directory of a recording, or find one.

    Raises
    ------
    RecordingError
        If it holds other things.
    """
    root.mkdir(parents=True, exist_ok=True)
    unexpected_files = sorted(path.name for path in root.iterdir() if path.name not in (LOCK, f"{MANIFEST}.tmp"))
    if unexpected_files and MANIFEST not in unexpected_files:
        found = ", ".join(unexpected_files[:3])
        raise RecordingError(f"{root}: expected a new or empty directory or a recording, found {found}")


def new_manifest(created_ns: int) -> Manifest:
    """The manifest of a recording that begins now."""
    return Manifest(
        format_version=FORMAT_VERSION,
        created=datetime.fromtimestamp(created_ns // 1_000_000_000, UTC).isoformat(),
        versions={
            "aiops_nb": __version__,
            "python": platform.python_version(),
            "pyarrow": pa.__version__,
            "numpy": np.__version__,
        },
        tables=_column_types(),
    )


def _column_types() -> dict[str, dict[str, str]]:
    return {table: {field.name: str(field.type) for field in schema} for table, schema in TABLES.items()}


def upgrade_manifest(root: Path) -> None:
    """Say the present version before the first segment of it is written: an older reader must not skip its rows."""
    manifest = read_manifest(root)
    if manifest.format_version < FORMAT_VERSION:
        fresh = msgspec.structs.replace(manifest, format_version=FORMAT_VERSION, tables=_column_types())
        write_manifest(root, fresh)


def hash_of_config(config_yaml: str) -> str:
    """SHA-256 in hexadecimal digits; "" of no configuration.

    Examples
    --------
    >>> hash_of_config("host_metrics: false")[:8], hash_of_config("")
    ('ca9e37d1', '')
    """
    return hashlib.sha256(config_yaml.encode()).hexdigest() if config_yaml else ""


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Put the manifest in place, whole or not at all."""
    replace_file(root / MANIFEST, json.dumps(msgspec.to_builtins(manifest), indent=2).encode() + b"\n")


def read_manifest(root: Path) -> Manifest:
    """What a directory says of itself.

    Raises
    ------
    RecordingError
        If it is not a recording.
    FormatVersionError
        If a newer version wrote it.
    """
    path = root / MANIFEST
    if not path.is_file():
        found = "a directory without it" if root.is_dir() else "a file" if root.exists() else "nothing there"
        raise RecordingError(f"{root}: expected a recording (a directory with {MANIFEST}), found {found}")
    try:
        return _decode_manifest(path)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as problem:
        raise RecordingError(f"{path}: expected the manifest of a recording, got {problem}") from None


class _Version(msgspec.Struct):
    format_version: int


def _decode_manifest(path: Path) -> Manifest:
    text = path.read_bytes()
    version = msgspec.json.decode(text, type=_Version).format_version
    if version > FORMAT_VERSION:
        known = f"at most {FORMAT_VERSION} (aiops_nb {__version__})"
        raise FormatVersionError(f"{path}: expected format_version {known}, got {version}; install a newer aiops-nb")
    return msgspec.json.decode(text, type=Manifest)


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that a crash leaves the old one or the new one."""
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system lets a folder be opened (Windows does not)."""
    with suppress(PermissionError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

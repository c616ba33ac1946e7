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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb._version import __version__
from aiops_nb.core.errors import FormatVersionError, RecordingError
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.record.files import is_directory, is_regular, read_limited, replace_file

FORMAT_VERSION = 3  # 2 named rules and commands otherwise (`core.earlier`); 1 had no `error_detail` and no `extra`
MANIFEST, CONFIG, LABELS, LOCK = "manifest.json", "config.yaml", "labels.jsonl", "writer.lock"
_SEGMENT_FILE = re.compile(r"_?(\d{6,})\.(?:parquet|arrows)")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata of a recording.

    `tables` holds the Arrow type of every column, `config_hash` the SHA-256 of the configuration of the latest run (""
    if there was none), `repairs` one sentence for each repair after a crash.
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
    """The segments of one table in the order of their rows; a folder that is a link has none."""
    folder = root / table
    names = [_SEGMENT_FILE.fullmatch(path.name) for path in folder.iterdir()] if is_directory(folder) else []
    return [Segment(root, table, number) for number in sorted({int(match[1]) for match in names if match})]


def all_segments(root: Path) -> Iterator[Segment]:
    """Every segment of every table."""
    for table in TABLES:
        yield from segments(root, table)


def foreign_folders(root: Path) -> list[Path]:
    """Names of tables that are links or files: they could lead out of the recording and are not followed."""
    return [root / table for table in TABLES if os.path.lexists(root / table) and not is_directory(root / table)]


def make_directory(root: Path) -> None:
    """Make the directory of a recording, or find one.

    Raises
    ------
    RecordingError
        If it holds other things.
    """
    root.mkdir(parents=True, exist_ok=True)
    may_be_first = (LABELS, LOCK, f"{MANIFEST}.tmp")  # a demo service may label a fault before the monitor begins
    unexpected_files = sorted(path.name for path in root.iterdir() if path.name not in may_be_first)
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
    """Raise the version before the first segment of it is written, so that an older reader does not misread it."""
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
    """The manifest of a directory.

    Raises
    ------
    RecordingError
        If it is not a recording.
    FormatVersionError
        If a newer version wrote it.
    """
    path = root / MANIFEST
    if not os.path.lexists(path):
        raise RecordingError(f"{root}: {_what_it_is(root)}")
    if not is_regular(path):
        raise RecordingError(f"{path}: expected a regular file, got a link or something else")
    try:
        return _decode_manifest(path)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as problem:
        raise RecordingError(f"{path}: expected the manifest of a recording, got {problem}") from None


def _what_it_is(root: Path) -> str:
    if root.is_dir():
        return f"not a recording (no {MANIFEST} in this directory)"
    return "a file, expected the directory of a recording" if root.exists() else "no such directory"


class _Version(msgspec.Struct):
    format_version: int


def _decode_manifest(path: Path) -> Manifest:
    text = read_limited(path)
    version = msgspec.json.decode(text, type=_Version).format_version
    if version > FORMAT_VERSION:
        known = f"at most {FORMAT_VERSION} (aiops_nb {__version__})"
        raise FormatVersionError(f"{path}: expected format_version {known}, got {version}; install a newer aiops-nb")
    return msgspec.json.decode(text, type=Manifest)

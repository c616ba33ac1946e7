"""What a report claims, as a small JSON file next to it: its figures, and the rows and configuration they are of."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd

from aiops_nb.config.faults import read_yaml
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.record.files import read_limited
from aiops_nb.record.reader import RecordingReader
from aiops_nb.report.proof.provenance import DIGITS, content_hash
from aiops_nb.report.proof.row_sums import slice_sums
from aiops_nb.report.zones import in_zone

FORMAT = 1
MIME = "application/vnd.aiops-nb.proof+json"
MAX_BYTES = 16 << 20
MOST_SLICES = 1440  # of a day: minutes
ROWS: tuple[TableName, ...] = ("requests", "samples", "messages")


class TableProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of one table in the range of a report.

    Attributes
    ----------
    rows
        How many.
    sha256
        First 16 hexadecimal digits of the hash of every value.
    counts, sums
        Rows and sum of row hashes (16 hexadecimal digits) of each slice of time.
    """

    rows: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str
    counts: list[int]
    sums: list[str]


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that is needed to derive a report's headline figures again and to say what changed.

    Attributes
    ----------
    recording
        Its folder, when the report was made.
    start, end
        The asked range, RFC 3339 UTC; empty: open.
    targets
        Those reported on; empty: all.
    first_ns, width_ns
        Where the slices of time begin, and their length in nanoseconds.
    config
        Hash of each top-level key of the configuration.
    tables
        The rows.
    summary
        A record for each target and origin, as `summarise` makes it: requests, error_ratio, quantiles in seconds.
    alerts, alerts_sha256
        How many alerts there are, and the hash of the whole table.
    versions
        Of the libraries that made it.
    format
        Of this file.
    """

    recording: str
    start: str
    end: str
    targets: list[str]
    first_ns: int
    width_ns: Annotated[int, msgspec.Meta(gt=0)]
    config: dict[str, str]
    tables: dict[str, TableProof]
    summary: list[dict[str, str | float | int | None]]
    alerts: int
    alerts_sha256: str
    versions: dict[str, str]
    format: Annotated[int, msgspec.Meta(ge=FORMAT, le=FORMAT)] = FORMAT


CLAIMED = ("target", "origin", "requests", "error_ratio", "p50_seconds", "p95_seconds", "p99_seconds")


def make_proof(
    recording: str | Path,
    summary: pd.DataFrame,
    alerts: pd.DataFrame,
    *,
    start: Moment = None,
    end: Moment = None,
    targets: list[str] | None = None,
) -> Proof:
    """What a report claims.

    Parameters
    ----------
    recording
        Folder of the recording.
    summary
        As `summarise` makes it.
    alerts
        As `Recording.alerts()` gives them, of the targets.
    start, end
        The range that was asked for.
    targets
        The names that were asked for.
    """
    reader = RecordingReader(recording)
    start_ns, end_ns = range_ns(start, end)
    first_ns, width_ns = _slices(reader, start_ns, end_ns)
    tables: dict[str, TableProof] = {
        name: table_proof(reader, name, start_ns, end_ns, first_ns, width_ns) for name in ROWS
    }
    return Proof(
        recording=str(Path(recording).absolute()),
        start="" if start_ns is None else rfc3339(start_ns),
        end="" if end_ns is None else rfc3339(end_ns),
        targets=list(targets or ()),
        first_ns=first_ns,
        width_ns=width_ns,
        config=config_hashes(reader.config_yaml),
        tables=tables,
        summary=[_plain(record) for record in summary.reindex(columns=list(CLAIMED)).to_dict("records")],
        alerts=len(alerts),
        alerts_sha256=frame_hash(alerts),
        versions=dict(reader.manifest.versions),
    )


class ShownProof:
    """A proof in the output of a cell: readers see one line, `aiops-nb verify` finds the whole."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof

    def __repr__(self) -> str:
        rows = sum(table.rows for table in self.proof.tables.values())
        return f"<Proof: {rows:,} rows, {len(self.proof.summary)} targets, {self.proof.alerts} alerts>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {MIME: msgspec.to_builtins(self.proof), "text/plain": repr(self)}


def table_proof(
    reader: RecordingReader, name: TableName, start_ns: int | None, end_ns: int | None, first_ns: int, width_ns: int
) -> TableProof:
    """The rows of one table; read once for the sums and once for the hash, block by block."""
    blocks = reader.blocks(name, start_ns=start_ns, end_ns=end_ns)
    counts, sums = slice_sums(blocks, first_ns, width_ns, MOST_SLICES)
    used = int(counts.nonzero()[0].max()) + 1 if counts.any() else 0
    table = reader.table(name, start_ns=start_ns, end_ns=end_ns)
    return TableProof(
        rows=int(counts.sum()),
        sha256=content_hash({name: table}),
        counts=counts[:used].tolist(),
        sums=[f"{value:016x}" for value in sums[:used].tolist()],
    )


def config_hashes(config_yaml: str) -> dict[str, str]:
    """The hash of each top-level key, so that the one that changed can be named.

    Examples
    --------
    >>> config_hashes("interval: 5s") == config_hashes("interval:   5s  # the same")
    True
    """
    contents = read_yaml(config_yaml, "config") if config_yaml else None
    return {str(key): _sha256(repr(value)) for key, value in (contents or {}).items()}


def frame_hash(frame: pd.DataFrame) -> str:
    """Sixteen hexadecimal digits over every value of a frame, as text."""
    return _sha256(in_zone(frame, "UTC").reset_index(drop=True).to_csv(index=False))


def read_proof(path: Path) -> Proof:
    """Read the JSON file of a report.

    Raises
    ------
    AiopsError
        If there is none, or it is not one.
    """
    try:
        return msgspec.json.decode(read_limited(path, MAX_BYTES), type=Proof)
    except OSError as problem:
        raise AiopsError(f"{path}: {problem.strerror or problem}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise AiopsError(f"{path}: expected the JSON file of a report ({problem})") from None


def _slices(reader: RecordingReader, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    """At most a day's minutes of at least a second each, over what is recorded in the range."""
    recorded = reader.time_range_ns or (0, NS_PER_SECOND)
    first_ns = recorded[0] if start_ns is None else max(start_ns, recorded[0])
    last_ns = recorded[1] if end_ns is None else min(end_ns, recorded[1])
    minutes = math.ceil((last_ns - first_ns) / (60 * NS_PER_SECOND * MOST_SLICES))
    return first_ns, max(1, minutes) * 60 * NS_PER_SECOND


def _plain(record: dict[Any, Any]) -> dict[str, str | float | int | None]:
    def known(value: Any) -> str | float | int | None:
        return None if isinstance(value, float) and math.isnan(value) else value

    return {str(name): known(value) for name, value in record.items()}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * DIGITS]

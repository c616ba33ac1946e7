"""Where a report's figures come from: which rows, which configuration, which versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.columns import times_ns
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.core.quantities import format_ratio
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.record.format import hash_of_config
from aiops_nb.record.reader import RecordingReader
from aiops_nb.report.tables import gap_ratio, observed_range

OBSERVED: tuple[TableName, ...] = ("requests", "samples")
DIGITS = 8
SLICE_ROWS = 65_536
LIBRARIES = ("aiops-nb", "numpy", "pandas", "pyarrow", "bokeh")


def provenance(recording: str | Path, start: Moment = None, end: Moment = None) -> pd.DataFrame:
    """What the report was made of, as `item` and `value_text`: enough to make it again and to compare."""
    reader = RecordingReader(recording)
    start_ns, end_ns = range_ns(start, end)
    tables = {name: reader.table(name, start_ns=start_ns, end_ns=end_ns) for name in TABLES}
    times = row_times(tables)
    first, last = observed_range(times)
    facts = {
        "recording": Path(recording).name,
        "range (UTC)": f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}",
        "rows": ", ".join(f"{table.num_rows:,} {name}" for name, table in tables.items()),
        "time without rows": format_ratio(gap_ratio(times)),
        "hash of the rows": content_hash(tables),
        "hash of the configuration": _config_text(reader),
        "recorded by": _listed(reader.manifest.versions),
        "reported by": _listed({"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}),
        "repairs": "; ".join(reader.repairs) or "none",
    }
    return pd.DataFrame({"item": list(facts), "value_text": list(facts.values())})


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def row_times(tables: Mapping[TableName, pa.Table]) -> pd.Series:
    """Times of the observed rows: requests and samples."""
    parts = [times_ns(chunk) for name in OBSERVED for chunk in tables[name]["time"].chunks]
    joined = np.concatenate(parts) if parts else np.empty(0, np.int64)
    return pd.Series(pd.to_datetime(joined, utc=True))


def config_hash(recording: str | Path) -> str:
    """Eight hexadecimal digits of the SHA-256 of the configuration; `none` without one."""
    return hash_of_config(RecordingReader(recording).config_yaml)[:DIGITS] or "none"


def _config_text(reader: RecordingReader) -> str:
    now, then = config_hash(reader.path), reader.manifest.config_hash[:DIGITS]
    return f"{now} (when recorded: {then})" if then and now != then else now


def content_hash(tables: Mapping[TableName, pa.Table]) -> str:
    """Sixteen hexadecimal digits over every value of every row, the same before and after a segment is sealed."""
    digest = hashlib.sha256()
    for name, table in tables.items():
        digest.update(f"{name} {table.num_rows}".encode())
        for start in range(0, table.num_rows, SLICE_ROWS):
            for column in table.slice(start, SLICE_ROWS).columns:
                digest.update(_bytes_of(column))
    return digest.hexdigest()[: 2 * DIGITS]


def _bytes_of(column: pa.ChunkedArray) -> bytes:
    nulls = pc.is_null(column).to_numpy().tobytes()
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        texts = pc.fill_null(column.cast(pa.large_string()), "")
        joined = "".join(texts.to_pylist()).encode()
        return b"".join((nulls, pc.binary_length(texts).to_numpy().tobytes(), joined))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return b"".join((nulls, pc.fill_null(column, 0).to_numpy().tobytes()))

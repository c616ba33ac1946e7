"""Reads files to their end in a process of its own: a damaged one may abort the process that reads it.

Of 17,896 single-bit flips of a small Parquet file, 16 end the process that opens it, inside the Arrow library. Run by
`record.inspection` with one path a line on standard input; answers each with a line of JSON as soon as it is known.
Imports nothing of this package, so that it starts quickly.
"""

import json
import sys
from typing import Any

MAX_MEMORY_BYTES = 4 << 30
MAX_ROWS = 1 << 24  # of one file; a segment has a million
MAX_ROWS_PER_BYTE = 256  # what a few bytes can claim to hold must not fill the memory
MAX_COLUMNS = 256
MAX_ROW_GROUPS = 1 << 16
BLOCK_ROWS = 1 << 16


def main() -> None:
    """Answer until standard input ends."""
    _limit_memory()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_problem(json.loads(line))), flush=True)


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit, macOS none that can be set


class Refused(Exception):
    """A file that can be read, but must not be: it holds more than it may."""


def _problem(path: str) -> str:
    """Why a file must not be read; empty if it does no harm, even if its reader will find it damaged."""
    try:
        _read_parquet(path) if path.endswith(".parquet") else _read_stream(path)
    except (Refused, MemoryError) as problem:
        return f"{problem or 'expected a file that fits into the memory'}"
    except Exception:
        return ""
    return ""


def _read_parquet(path: str) -> None:
    import pathlib

    import pyarrow.parquet as pq

    size = pathlib.Path(path).stat().st_size
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        meta = file.metadata
        for name, count, most in (
            ("rows", meta.num_rows, min(MAX_ROWS, MAX_ROWS_PER_BYTE * size)),
            ("columns", meta.num_columns, MAX_COLUMNS),
            ("row groups", meta.num_row_groups, MAX_ROW_GROUPS),
        ):
            if not 0 <= count <= most:
                raise Refused(f"expected at most {most:,} {name}, got {count:,}")
        repr(file.schema_arrow)
        for group in range(meta.num_row_groups):
            _read_group(file, group, meta.row_group(group).num_rows)
            _read_statistics(meta.row_group(group))


def _read_statistics(group: Any) -> None:
    """All that `record.blocks` asks of a file: this, too, can end the process."""
    for column in range(min(2, group.num_columns)):
        found = group.column(column).statistics
        if found is not None and found.has_min_max:
            repr((found.min_raw, found.max_raw))


def _read_group(file: Any, group: int, rows: int) -> None:
    """One damaged group says nothing about the next."""
    import pyarrow as pa

    read = 0
    try:
        for batch in file.iter_batches(BLOCK_ROWS, row_groups=[group], use_threads=False):
            batch.validate(full=True)
            read += batch.num_rows
            if read > rows:
                raise Refused(f"expected {rows:,} rows in group {group}, got more")
    except MemoryError:
        raise
    except (pa.ArrowException, OSError):
        return


def _read_stream(path: str) -> None:
    """Whole messages up to the first that cannot be read: that a live file is torn is no damage."""
    import pyarrow as pa

    with pa.OSFile(path) as source:
        try:
            reader = pa.ipc.open_stream(source)
            while True:
                reader.read_next_batch().validate(full=True)
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, StopIteration):
            return


if __name__ == "__main__":
    main()

"""Sealing: a closed live segment becomes Parquet, and a crash at any point leaves every row readable exactly once."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq

from aiops_nb.core.schemas import TABLES
from aiops_nb.record.blocks import BLOCK_ROWS, is_sealed, live_blocks
from aiops_nb.record.files import create_file, is_regular, read_limited, sync_folder
from aiops_nb.record.format import Segment
from aiops_nb.record.inspection import vouch_for
from aiops_nb.record.stream import LiveStream

MAX_CUT_BYTES = 1 << 20


def seal(segment: Segment, *, keep_live: bool = False) -> None:
    """Turn the live file into Parquet, then remove it; may be repeated after a crash at any point.

    With `keep_live` it becomes the `.cut` file instead, with all that could not be read at its end.

    Raises
    ------
    OSError
        If the disk has no room, or the live file cannot be read to its end; it is then left as it was.
    """
    if not is_sealed(segment):
        try:
            write_unfinished(segment, keep_live=keep_live)
            put_in_place(segment)
        finally:
            segment.unfinished.unlink(missing_ok=True)
    if keep_live:
        segment.live.replace(segment.cut)
    else:
        remove_live(segment)


def check_room(segment: Segment) -> None:
    """Refuse to seal where it could take the last bytes of the disk from files that are being written.

    Raises
    ------
    OSError
        If the disk has less room than twice what the segment takes now.
    """
    needed_bytes = 2 * segment.live.stat().st_size
    if shutil.disk_usage(segment.root).free < needed_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(segment.sealed))


def write_unfinished(segment: Segment, *, keep_live: bool = False) -> None:
    """Write the Parquet file under a name that no reader opens, down to the disk."""
    schema = TABLES[segment.table]
    coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    rising = {"seq": "DELTA_BINARY_PACKED", "time": "DELTA_BINARY_PACKED"}
    with create_file(segment.unfinished) as file:
        stream = LiveStream(segment.live, schema)
        with pq.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=coded, column_encoding=rising, write_page_checksum=True
        ) as writer:
            for block in live_blocks(stream):
                writer.write_batch(block, row_group_size=BLOCK_ROWS)
        if not keep_live:
            _check_end(segment, stream)
        # Else a power cut could keep the renaming and the removal, and lose the rows.
        file.flush()
        os.fsync(file.fileno())


def _check_end(segment: Segment, stream: LiveStream) -> None:
    """What is not in the Parquet file must be kept elsewhere: a reading that failed half-way loses nothing."""
    if stream.rest_bytes == 0 or stream.is_closed:
        return
    kept = read_limited(segment.cut, MAX_CUT_BYTES) if is_regular(segment.cut) else b""
    if stream.rest(MAX_CUT_BYTES + 1) != kept:
        raise OSError(errno.EIO, f"{stream.rest_bytes} bytes at the end cannot be read", str(segment.live))


def put_in_place(segment: Segment) -> None:
    """From here on the Parquet file is the truth."""
    segment.unfinished.replace(segment.sealed)
    sync_folder(segment.sealed.parent)
    vouch_for(segment.sealed)


def remove_live(segment: Segment) -> None:
    """Remove the live file; on Windows a reader may hold it open, then the next opening of the recording does it."""
    with suppress(PermissionError):
        segment.live.unlink(missing_ok=True)

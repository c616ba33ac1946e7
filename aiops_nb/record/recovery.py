"""Recovery: what a dead writer left is read, reported and sealed. The caller holds the writer's lock."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import TABLES
from aiops_nb.core.types import IntArray
from aiops_nb.record.blocks import is_live_file, is_sealed, open_sealed, segment_extents
from aiops_nb.record.files import create_file, is_directory, is_regular
from aiops_nb.record.format import Segment, all_segments, read_manifest, upgrade_manifest, write_manifest
from aiops_nb.record.sealing import MAX_CUT_BYTES, remove_live, seal
from aiops_nb.record.stream import LiveStream

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tail:
    """How a live file ends: the seq of each whole item, and the length of what follows them."""

    segment: Segment
    seqs: IntArray
    rest_bytes: int
    is_closed: bool

    def sentence(self) -> str:
        """What a person should know of an unclosed file."""
        text = f"{_name(self.segment)}: the writer ended without closing it; its {len(self.seqs)} whole items are kept"
        return f"{text}, {self.rest_bytes} bytes of an unfinished one are left out" if self.rest_bytes else text


def recover(root: Path) -> tuple[str, ...]:
    """Seal every live file that a dead writer left; returns what had to be repaired, and notes it in the manifest.

    Nothing is thrown away: bytes that are not a whole item are kept in a `.cut` file.
    """
    upgrade_manifest(root)
    _remove_remainders(root)
    tails = [read_tail(segment) for segment in _left_behind(root)]
    repairs = sentences(root, tails)
    _note(root, repairs)
    for tail in tails:
        _settle(tail)
    return repairs


def next_positions(root: Path) -> tuple[int, int]:
    """The first free `seq` and the first free segment number.

    Raises
    ------
    RecordingError
        If a file cannot be read: its positions are not known, and could be given out twice.
    """
    seq = number = 0
    for segment in all_segments(root):
        try:
            seq = max([seq, *(extent.last_seq + 1 for extent in segment_extents(segment))])
        except (pa.ArrowException, OSError) as problem:
            raise RecordingError(f"{segment.sealed}: cannot be read ({problem}); move it away to go on") from None
        number = max(number, segment.number + 1)
    return seq, number


def examine(root: Path) -> tuple[str, ...]:
    """What `recover` would say, where nothing may be written."""
    return sentences(root, [read_tail(segment) for segment in _left_behind(root)])


def needs_recovery(root: Path) -> bool:
    """Whether live files are there: a writer is at work, or died."""
    return any(is_regular(segment.live) for segment in all_segments(root))


def _remove_remainders(root: Path) -> None:
    """What a crash in the middle of sealing left: it holds no row that is not elsewhere."""
    for segment in filter(is_sealed, all_segments(root)):
        remove_live(segment)
    for table in TABLES:
        for unfinished in (root / table).glob("_*.parquet.tmp") if is_directory(root / table) else ():
            unfinished.unlink()


def _left_behind(root: Path) -> list[Segment]:
    return [segment for segment in all_segments(root) if is_live_file(segment)]


def read_tail(segment: Segment) -> Tail:
    """Read a live file to its end."""
    stream = LiveStream(segment.live, TABLES[segment.table])
    seqs = [batch.column(0)[0].as_py() for batch in stream]
    return Tail(segment, np.array(seqs, np.int64), stream.rest_bytes, stream.is_closed)


def sentences(root: Path, tails: list[Tail]) -> tuple[str, ...]:
    """What happened, for people: one sentence for each unclosed file, and one for the items that are missing."""
    unclosed = [tail.sentence() for tail in tails if not tail.is_closed]
    return (*unclosed, *_missing_sentence(root, tails)) if unclosed else ()


def _missing_sentence(root: Path, tails: list[Tail]) -> list[str]:
    """After a power cut each file may have lost a different part."""
    seqs = np.concatenate([*(tail.seqs for tail in tails), *_sealed_seqs(root, min(t.segment.number for t in tails))])
    holes = missing_seqs(np.unique(seqs))
    if not holes:
        return []
    shown = ", ".join(f"{first} to {end - 1}" if end - first > 1 else f"{first}" for first, end in holes)
    beyond = int((seqs > holes[0][0]).sum())
    return [
        f"{root}: items {shown} are missing: the files lost different parts; replay is exact up to item "
        f"{holes[0][0] - 1}, and {beyond} later items are kept"
    ]


def missing_seqs(seqs: IntArray) -> list[tuple[int, int]]:
    """Holes [first, end) in rising positions that begin at 0 or at the first one given.

    Examples
    --------
    >>> missing_seqs(np.array([4, 5, 8, 9, 11]))
    [(6, 8), (10, 11)]
    """
    before = np.flatnonzero(np.diff(seqs) > 1)
    return [(int(seqs[place]) + 1, int(seqs[place + 1])) for place in before]


def _sealed_seqs(root: Path, number: int) -> list[IntArray]:
    """Positions in sealed files from segment `number` on, and the last one before it; -1 if nothing is before it."""
    last, found = -1, []
    for segment in filter(is_sealed, all_segments(root)):
        if segment.number < number:
            last = max([last, *(extent.last_seq for extent in segment_extents(segment))])
            continue
        with open_sealed(segment) as file:
            found.append(file.read(columns=["seq"]).column(0).unique().to_numpy())
    return [np.array([last], np.int64), *found]


def _note(root: Path, repairs: tuple[str, ...]) -> None:
    for sentence in repairs:
        _log.warning("%s", sentence)
    manifest = read_manifest(root)
    fresh = tuple(sentence for sentence in repairs if sentence not in manifest.repairs)
    if fresh:
        write_manifest(root, msgspec.structs.replace(manifest, repairs=manifest.repairs + fresh))


def _settle(tail: Tail) -> None:
    segment, is_torn = tail.segment, tail.rest_bytes > 0 and not tail.is_closed
    if is_torn and tail.rest_bytes > MAX_CUT_BYTES and len(tail.seqs):
        seal(segment, keep_live=True)
        return
    if is_torn:
        _keep_rest(segment)
    if len(tail.seqs):
        seal(segment)
    else:
        remove_live(segment)


def _keep_rest(segment: Segment) -> None:
    stream = LiveStream(segment.live, TABLES[segment.table])
    deque(stream, maxlen=0)
    with create_file(segment.cut) as file:
        file.write(stream.rest(MAX_CUT_BYTES))


def _name(segment: Segment) -> str:
    return f"{segment.table}/{segment.live.name}"

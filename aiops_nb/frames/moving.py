"""Moving statistics of request features are left out of what is kept, and computed again when it is read.

They are two thirds of what a window says and follow from the features that are kept: a segment holds the state of the
exponential means at its beginning, and everything else needs no more than the windows of the longest horizon before it.
Sums over the bits of what was left out prove that it came back.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.core.growing import widened
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, FloatArray, IntArray
from aiops_nb.features.horizons import MOST_BLOCKS, STATISTICS, Horizons, horizon_names
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.packing import columns_on_disk, unpacked

NOTE = b"aiops_nb.moving"
# Not of `rate_hz`: it is hidden for a while after late rows, its moving statistics are not known from it then.
BASES = ("error_ratio", "duration_mean_seconds", "duration_p95_seconds")
HIDDEN = "count"  # known in each window, unless the target is paused: all its features are hidden then
NEVER, NEVER_HIDDEN = 1 << 62, -1


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """How to compute the moving statistics of a segment.

    `begins` says that no window came before it. `ema` and `ema_at` are the exponential means before its first window
    and the windows that they are of, (horizons, features, series). `sums` are empty where nothing was left out.
    """

    names: tuple[str, ...]
    tick_ns: int
    horizons_seconds: tuple[float, ...]
    begins: bool
    series: int
    ema: str
    ema_at: str
    sums: tuple[int, ...] = ()


class MovingState:
    """What is known of the moving statistics while segments of one table are written, in order."""

    def __init__(self, *, begins: bool) -> None:
        self._begins = begins
        self._plain_until = 0 if begins else NEVER
        self._set_window(WindowParams())

    def _set_window(self, window: WindowParams | None) -> None:
        self._window = window
        self._last: int | None = None
        self._hidden_at = np.full(0, NEVER_HIDDEN)
        self._means = np.full((2, 0 if window is None else len(window.horizons_seconds), len(BASES), 0), np.nan)

    def start(self, window: WindowParams | None) -> None:
        """A run begins; None: its windows are not known here, and everything is kept."""
        if not self._begins:  # it may go on with what the run before it had learned
            self._plain_until = NEVER
        self._set_window(window)

    def leave_out(self, table: pa.Table, features: Sequence[FeatureTable]) -> tuple[pa.Table, int]:
        """A segment without its moving statistics, and how far back (ns) reading it needs others.

        Parameters
        ----------
        table
            A row per window and series.
        features
            What the rows were made of, a table a window.
        """
        window, begins = self._window, self._begins
        self._begins = False
        if window is None or not _is_growing(features):
            self._plain_until = NEVER
            return table, 0
        moving = horizon_names(window.horizons_seconds, BASES)
        if not {*moving, *BASES, HIDDEN} <= set(table.column_names):
            return table, 0
        windows = np.array([one.end_ns for one in features], np.int64) // window.tick_ns - 1
        counts = np.array([len(one.series) for one in features])
        reach = warm_up_ticks(window.horizons_seconds, window.tick_seconds)
        if self._plain_until == NEVER:
            self._plain_until = int(windows[0]) + reach
        jumps = windows[np.diff(windows, prepend=windows[0] - 1 if self._last is None else self._last) != 1]
        self._last = int(windows[-1])
        if len(jumps):  # what a moving statistic makes of windows that never were is not computed again
            self._plain_until = max(self._plain_until, int(jumps[-1]) + reach)
        is_sure = self._is_sure(table.column(HIDDEN), windows, counts, reach)
        is_whole = int(windows[0]) >= self._plain_until and is_sure
        note = self._note(window, tuple(table.column_names), begins)
        self._follow(table, windows, counts, window.horizons_seconds)
        if is_whole:
            note = msgspec.structs.replace(note, sums=tuple(_sum_of(table.column(name)) for name in moving))
            table = table.drop_columns(list(moving))
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), NOTE: msgspec.json.encode(note)})
        return table, reach * window.tick_ns if is_whole else 0

    def _is_sure(self, column: pa.ChunkedArray, windows: IntArray, counts: IntArray, reach: int) -> bool:
        """Whether what is left out follows from what is kept, also where features have been hidden."""
        unknown, series = np.isnan(_by_window(column, counts)), int(counts[-1])
        hidden = unknown & (np.arange(series) < counts[:, np.newaxis])
        before = self._hidden_at = widened(self._hidden_at, series, NEVER_HIDDEN)
        if not hidden.any() and (before == NEVER_HIDDEN).all():
            return True
        last = np.maximum.accumulate(np.where(hidden, windows[:, np.newaxis], NEVER_HIDDEN), axis=0)
        last = np.maximum(last, before)
        self._hidden_at = last[-1]
        recently = (last != NEVER_HIDDEN) & (windows[:, np.newaxis] - last < reach)
        moved_at = np.full(series, NEVER_HIDDEN, np.float64)  # the newest window that all means are known to include
        moved_at[: self._means.shape[-1]] = np.nan_to_num(self._means[1], nan=NEVER_HIDDEN).min(axis=(0, 1))
        unseen = (before != NEVER_HIDDEN) & (moved_at <= before)
        return not (~unknown & (recently | unseen)).any()

    def _note(self, window: WindowParams, names: tuple[str, ...], begins: bool) -> Note:
        ema, ema_at = self._means
        at = np.where(np.isnan(ema_at), -1, ema_at).astype(np.int64)
        return Note(
            names=names,
            tick_ns=window.tick_ns,
            horizons_seconds=window.horizons_seconds,
            begins=begins,
            series=ema.shape[-1],
            ema=_as_text(ema),
            ema_at=_as_text(at),
        )

    def _follow(self, table: pa.Table, windows: IntArray, counts: IntArray, horizons: Sequence[float]) -> None:
        """The exponential means after this segment: those of the last window in which each feature was known."""
        series = int(counts[-1])
        means = np.full((*self._means.shape[:-1], series), np.nan)
        means[..., : self._means.shape[-1]] = self._means
        names = horizon_names(horizons, BASES)
        for feature, base in enumerate(BASES):
            known = np.isfinite(_by_window(table.column(base), counts))
            at = len(known) - 1 - np.argmax(known[::-1], axis=0)
            for horizon in range(len(horizons)):
                name = names[(horizon * len(STATISTICS)) * len(BASES) + feature]
                ema = _by_window(table.column(name), counts)[at, np.arange(series)]
                fresh = known.any(axis=0) & ~np.isnan(ema)
                means[0, horizon, feature, fresh] = ema[fresh]
                means[1, horizon, feature, fresh] = windows[at[fresh]]
        self._means = means


def warm_up_ticks(horizons_seconds: Sequence[float], tick_seconds: float) -> int:
    """After so many windows, nothing that came before them is left in a moving statistic but an exponential mean."""
    ticks = max((max(1, round(seconds / tick_seconds)) for seconds in horizons_seconds), default=0)
    return ticks + 2 * -(-ticks // MOST_BLOCKS)


def warm_up_columns(schema: pa.Schema) -> list[str] | None:
    """Which columns of a segment are needed to read those after it; None: all."""
    return columns_on_disk(schema, BASES)


def completed(
    segments: Iterable[pa.Table], start_ns: int | None = None, end_ns: int | None = None
) -> Iterator[pa.Table]:
    """Segments as they were before they were packed and moving statistics left out, with at least the rows of a range.

    Parameters
    ----------
    segments
        In order, without a gap; those before `start_ns` may have only `warm_up_columns`.
    start_ns, end_ns
        The range [start_ns, end_ns).

    Raises
    ------
    pa.ArrowInvalid
        If what was left out does not come back.
    """
    horizons: Horizons | None = None
    made_for: tuple[tuple[float, ...], int] | None = None
    for segment in segments:
        note, last_ns = _note_of(segment), _last_ns(segment)
        is_wanted = start_ns is None or last_ns >= start_ns
        if note is None:
            if is_wanted:
                yield _without_note(unpacked(segment, None, start_ns, end_ns))
            continue
        if horizons is None or note.begins or made_for != (note.horizons_seconds, note.tick_ns):
            made_for = note.horizons_seconds, note.tick_ns
            horizons = Horizons(note.horizons_seconds, note.tick_ns / NS_PER_SECOND, len(BASES))
        if not is_wanted:
            reach_ns = warm_up_ticks(note.horizons_seconds, note.tick_ns / NS_PER_SECOND) * note.tick_ns
            _moved(horizons, note, unpacked(segment, ("time", *BASES), (start_ns or 0) - reach_ns))
            continue
        rows = unpacked(segment, None, None, end_ns)
        made = _moved(horizons, note, rows)
        if note.sums:
            is_all = end_ns is None or last_ns < end_ns
            rows = _with_moving(rows, note, made, is_all=is_all)
        yield _without_note(rows)


def _moved(horizons: Horizons, note: Note, rows: pa.Table) -> dict[str, FloatArray]:
    """The moving statistics of a segment."""
    ends_ns, counts = np.unique(rows.column("time").cast(pa.int64()).to_numpy(), return_counts=True)
    shape = len(note.horizons_seconds), len(BASES), note.series
    ema, at = _from_text(note.ema, np.float64, shape), _from_text(note.ema_at, np.int64, shape)
    horizons.carry_on(ema, np.where(at < 0, np.nan, at))
    names = horizon_names(note.horizons_seconds, BASES)
    values = np.full((len(counts), len(BASES) + len(names), int(counts.max(initial=0))), np.nan)
    for place, name in enumerate(BASES):
        values[:, place] = _by_window(rows.column(name), counts)
    kept = np.arange(len(BASES))
    for tick, (end_ns, count) in enumerate(zip(ends_ns.tolist(), counts.tolist(), strict=True)):
        table = np.ascontiguousarray(values[tick, :, :count])
        horizons.write(end_ns // note.tick_ns - 1, table, kept, len(BASES))
        values[tick, :, :count] = table
    present = np.arange(values.shape[2]) < counts[:, np.newaxis]
    is_whole = bool(present.all())
    moving = values.transpose(1, 0, 2)[len(BASES) :]
    return {name: one.ravel() if is_whole else one[present] for name, one in zip(names, moving, strict=True)}


def _with_moving(rows: pa.Table, note: Note, made: dict[str, FloatArray], *, is_all: bool) -> pa.Table:
    hidden = np.isnan(rows.column(HIDDEN).to_numpy())
    if hidden.any():
        for values in made.values():
            values[hidden] = np.nan
    columns = {name: pa.array(made[name]) if name in made else rows.column(name) for name in note.names}
    whole = pa.table(columns)
    if is_all and tuple(_sum_of(whole.column(name)) for name in made) != note.sums:
        raise pa.ArrowInvalid("moving statistics do not come back as they were")
    return whole.replace_schema_metadata(rows.schema.metadata)


def _note_of(segment: pa.Table) -> Note | None:
    text = (segment.schema.metadata or {}).get(NOTE)
    return None if text is None else msgspec.json.decode(text, type=Note)


def _without_note(table: pa.Table) -> pa.Table:
    rest = {key: value for key, value in (table.schema.metadata or {}).items() if key != NOTE}
    return table.replace_schema_metadata(rest or None)


def _last_ns(segment: pa.Table) -> int:
    times = segment.column("time").cast(pa.int64()).to_numpy()
    return int(times.max(initial=0))


def _is_growing(features: Sequence[FeatureTable]) -> bool:
    """Whether the series of each window are the first ones of the last."""
    last, before = features[-1].series, None
    for one in features:
        if one.series is not before and one.series is not last and last[: len(one.series)] != one.series:
            return False
        before = one.series
    return all(len(one.series) <= len(other.series) for one, other in pairwise(features))


def _by_window(column: pa.ChunkedArray, counts: IntArray) -> FloatArray:
    """The values, (windows, series); NaN before a series begins."""
    values: FloatArray = column.to_numpy()
    series = int(counts.max(initial=0))
    if (counts == series).all():
        return values.reshape(len(counts), series)
    whole = np.full((len(counts), series), np.nan)
    whole[np.arange(series) < counts[:, np.newaxis]] = values
    return whole


def _sum_of(column: pa.ChunkedArray) -> int:
    bits = np.ascontiguousarray(column.to_numpy()).view(np.uint64)
    return int(bits.sum(dtype=np.uint64))


def _as_text(array: Any) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode("ascii")


def _from_text(text: str, kind: type[Any], shape: tuple[int, ...]) -> Any:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).reshape(shape)

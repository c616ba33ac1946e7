"""What the engine makes of the rows, written to disk while it runs, in a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import pyarrow as pa

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import AlertChange, Step, Tick
from aiops_nb.engine.commands import Start, Stop, decode_command
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.derived import changes_table, features_table, scores_table
from aiops_nb.frames.moving import MovingState
from aiops_nb.frames.packing import packed
from aiops_nb.record.derived.store import CHANGES, SCORES, DerivedTables, DerivedWriter, features_name

_log = logging.getLogger(__name__)

SEGMENT_ROWS = 1 << 16
SEGMENT_TICKS = 1 << 12  # of a table with few series: what waits in memory stays small
SEGMENT_CHANGES = 1 << 12
QUEUED_STEPS = 1 << 10  # of a live run, four minutes of it; a replay waits
QUEUED_STEPS_OF_REPLAY = 1 << 5
JOIN_SECONDS = 5.0  # of a live run, which ends within ten
ALL = frozenset({"features", SCORES, CHANGES})


Made: TypeAlias = tuple[Sequence[Tick], Sequence[AlertChange]]  # of a step, without its rows: those are on disk already


class Begun(NamedTuple):
    """A run begins: which windows it has; None if that is not known here."""

    window: WindowParams | None


class SegmentWriter(Protocol):
    """Where segments of tables go: to disk, or to a comparison."""

    needs_trust: bool

    @property
    def is_continued(self) -> bool:
        """Whether there were segments already."""
        ...

    def write(self, name: str, table: pa.Table, start_ns: int, end_ns: int, reach_ns: int = 0) -> None:
        """Take rows of a table as one segment."""
        ...


class Buffers:
    """Ticks and changes until there are enough for a segment.

    Parameters
    ----------
    writer
        Where segments go.
    is_packed
        Whether they are made small; what is read once is not.
    kinds
        Which of `features`, `scores` and `changes` are kept.
    start_ns, end_ns
        Only windows that end in [start_ns, end_ns); None: no bound.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        kinds: frozenset[str] = ALL,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        is_packed: bool = True,
    ) -> None:
        self._writer, self._kinds = writer, kinds
        self._start_ns, self._end_ns = start_ns, end_ns
        self._window: WindowParams | None = WindowParams()
        self._moving = MovingState(begins=not writer.is_continued) if is_packed else None
        self._ticks: dict[str, list[Tick]] = {}
        self._rows: dict[str, int] = {}
        self._changes: list[AlertChange] = []

    def add(self, made: Made) -> None:
        """Take what one step made.

        Raises
        ------
        OSError
            If the disk takes no more.
        """
        ticks, changes = made
        for tick in ticks:
            if self._is_wanted(tick.features.end_ns):
                self._add(tick)
        if CHANGES in self._kinds:
            self._changes += changes
            if len(self._changes) >= SEGMENT_CHANGES:
                self._write_changes()

    def begin(self, begun: Begun) -> None:
        """A run begins: no segment holds windows of two.

        Raises
        ------
        OSError
            If the disk takes no more.
        """
        for name in list(self._ticks):
            self._write(name)
        self._window = begun.window
        if self._moving is not None:
            self._moving.start(begun.window)

    def _is_wanted(self, end_ns: int) -> bool:
        return (self._start_ns is None or end_ns >= self._start_ns) and (self._end_ns is None or end_ns < self._end_ns)

    def _add(self, tick: Tick) -> None:
        features, series = tick.features, len(tick.features.series)
        if "features" in self._kinds and series:
            name = features_name(features.table)
            waiting = self._ticks.get(name)
            if waiting and waiting[0].features.names != features.names:
                self._write(name)
            self._hold(name, tick, series)
        if SCORES in self._kinds and (rows := sum(len(part.value) for part in tick.scored)):
            self._hold(SCORES, tick, rows)

    def _hold(self, name: str, tick: Tick, rows: int) -> None:
        ticks = self._ticks.setdefault(name, [])
        if ticks and self._is_full(name) and ticks[-1].features.end_ns != tick.features.end_ns:
            self._write(name)
            ticks = self._ticks.setdefault(name, [])
        ticks.append(tick)
        self._rows[name] = self._rows.get(name, 0) + rows

    def _is_full(self, name: str) -> bool:
        return self._rows[name] >= SEGMENT_ROWS or len(self._ticks[name]) >= SEGMENT_TICKS

    def _write(self, name: str) -> None:
        ticks = self._ticks.pop(name)
        self._rows[name] = 0
        table = scores_table(ticks) if name == SCORES else features_table(ticks[0].features.table, ticks)
        reach_ns = 0
        if self._moving is not None:
            if name == features_name("requests"):
                table, reach_ns = self._moving.leave_out(table, [tick.features for tick in ticks])
            table = packed(table, span_ticks=self._window.span_ticks if self._window else 0)
        ends_ns = [tick.features.end_ns for tick in ticks]
        self._writer.write(name, table, min(ends_ns), max(ends_ns) + 1, reach_ns)

    def _write_changes(self) -> None:
        changes, self._changes = self._changes, []
        times_ns = [change.time_ns for change in changes]
        self._writer.write(CHANGES, changes_table(changes), min(times_ns), max(times_ns) + 1)

    def flush(self) -> None:
        """Write all that waits."""
        for name in list(self._ticks):
            self._write(name)
        if self._changes:
            self._write_changes()


class Derivation:
    """A sink that keeps what it is given as derived tables.

    It gives up, and says why, rather than slow a live engine down or fail it: the tables are then derived when somebody
    asks for them.

    Parameters
    ----------
    writer
        Where segments go.
    waits
        Whether `write` may wait for the disk: a replay does, a live run does not.
    kinds, start_ns, end_ns, is_packed
        As of `Buffers`.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        *,
        waits: bool,
        kinds: frozenset[str] = ALL,
        start_ns: int | None = None,
        end_ns: int | None = None,
        is_packed: bool = True,
    ) -> None:
        self._writer, self._waits = writer, waits
        self._buffers = Buffers(writer, kinds, start_ns, end_ns, is_packed=is_packed)
        self._queue: queue.Queue[Made | Begun | None] = queue.Queue(QUEUED_STEPS_OF_REPLAY if waits else QUEUED_STEPS)
        self._thread: threading.Thread | None = None
        self._is_ended = False
        self.last_seq = -1
        self.given_up = ""

    def write(self, step: Step) -> None:
        """Take a step."""
        item = step.item
        self.last_seq = max(self.last_seq, item.seq)
        self._is_ended = False
        if item.table == "control":
            self._note(item.batch)
        if step.ticks or step.changes:
            self._pass_on((step.ticks, step.changes))

    def _pass_on(self, made: Made | Begun) -> None:
        if self.given_up:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="aiops-derived", daemon=True)
            self._thread.start()
        try:
            self._queue.put(made, block=self._waits)
        except queue.Full:
            self._give_up("the disk is slower than the engine")

    def _note(self, batch: pa.RecordBatch) -> None:
        """What commands say of the tables: which windows a run has, whether monitoring stopped, who judged."""
        for kind, body in zip(batch.column("kind").to_pylist(), batch.column("body").to_pylist(), strict=True):
            self._is_ended = False
            if kind == "command":
                self._note_command(body or "")

    def _note_command(self, body: str) -> None:
        try:
            command = decode_command(body, trust=False)
        except ConfigError:
            self._writer.needs_trust = True
            self._pass_on(Begun(None))
            return
        self._is_ended = isinstance(command, Stop)
        if isinstance(command, Start):
            self._pass_on(Begun(command.pipeline.window))

    def close(self) -> None:
        """Wait until all is written; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(JOIN_SECONDS if not self._waits else None)
            if thread.is_alive():
                self._give_up(f"the disk did not take it within {JOIN_SECONDS:.0f} s")

    def finish(self, root: Path, problems: Mapping[str, str]) -> DerivedTables | None:
        """Make known what was written, as what the rows of a recording are now; None if it is not all of it."""
        self.close()
        if self.given_up or not isinstance(self._writer, DerivedWriter):
            return None
        try:
            return self._writer.finish(root, problems=problems, is_ended=self._is_ended)
        except (OSError, pa.ArrowException) as problem:
            self._give_up(str(problem))
            return None

    def _work(self) -> None:
        """After a failure the queue is still emptied: nobody may wait for a place in it."""
        while (made := self._queue.get()) is not None:
            if self.given_up:
                continue
            if isinstance(made, Begun):
                self._try(partial(self._buffers.begin, made))
            else:
                self._try(partial(self._buffers.add, made))
        if not self.given_up:
            self._try(self._buffers.flush)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as problem:  # a plug-in's reasons are put into words here, too
            self._give_up(str(problem))

    def _give_up(self, why: str) -> None:
        self.given_up = why
        _log.info("derived tables are not kept: %s", why)

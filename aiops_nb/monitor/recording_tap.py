"""The tap of a monitor that records: rows first, next to them what the engine makes of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from aiops_nb.core.types import Item, Step
from aiops_nb.monitor.derivation import Derivation
from aiops_nb.monitor.run import Deliver
from aiops_nb.record.derived.row_files import row_files
from aiops_nb.record.derived.store import DERIVED, DerivedWriter, read_tables, remove_tables
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import Tap

_log = logging.getLogger(__name__)

MOST_DERIVED_BYTES = 2 << 30


class RecordingTap:
    """A recorder, and the derived tables of the same run.

    The tables are made known when all rows are sealed and the engine has answered each of them; else they are left out,
    and derived again by whoever asks. A recording that is continued has them only if it had them before, and monitoring
    had stopped in good order: what a crash leaves unsaid, a replay says.

    Parameters
    ----------
    recorder
        Already open; closed with this.
    derives
        Whether derived tables are kept.
    most_derived_bytes
        The most that they take; the oldest features leave first, alert changes never.
    """

    def __init__(
        self, recorder: Recorder, *, derives: bool = True, most_derived_bytes: int = MOST_DERIVED_BYTES
    ) -> None:
        self._recorder = recorder
        self._last_seq = -1
        self._is_closed = False
        self._derivation = _derivation(recorder.path, most_derived_bytes) if derives else None
        self.problems: Callable[[], Mapping[str, str]] = dict

    @property
    def path(self) -> Path:
        """The directory of the recording."""
        return self._recorder.path

    @property
    def stopped_reason(self) -> str | None:
        """Why nothing is stored any more, if so."""
        return self._recorder.stopped_reason

    def delivering(self, deliver: Deliver) -> Deliver:
        """The same, after the derived tables have got the step."""
        derivation = self._derivation
        if derivation is None:
            return deliver

        def both(step: Step) -> None:
            derivation.write(step)
            deliver(step)

        return both

    def write(self, batch: pa.RecordBatch) -> Item:
        """Give a batch its place and put it on disk; see `Recorder.write`."""
        item = self._recorder.write(batch)
        self._last_seq = item.seq
        return item

    def seal_pending(self) -> int:
        """Turn closed segments into Parquet."""
        return self._recorder.seal_pending()

    def close(self) -> None:
        """Seal everything, make the derived tables known, and let go of the lock; may be called twice."""
        if not self._is_closed:
            self._is_closed = True
            try:
                self._recorder.rotate()
                self._recorder.seal_pending()
                self._finish()
            finally:
                self._recorder.close()

    def _finish(self) -> None:
        """While the lock is held: nobody else may write there."""
        derivation = self._derivation
        if derivation is None:
            return
        derivation.close()
        if self._last_seq >= 0 and self.stopped_reason is None and derivation.last_seq == self._last_seq:
            derivation.finish(self.path, self.problems())


def delivering(tap: Tap, deliver: Deliver) -> Deliver:
    """Deliver steps so that a tap that keeps derived tables has them first; others record rows only."""
    return tap.delivering(deliver) if isinstance(tap, RecordingTap) else deliver


def _derivation(root: Path, most_bytes: int) -> Derivation | None:
    """None where the rows so far have no tables to go on with."""
    folder = root / DERIVED
    try:
        before = row_files(root)
        kept = read_tables(folder, root, trust=True) if before else None
        if before and (kept is None or not kept.manifest.is_ended):
            remove_tables(folder)
            return None
        writer = DerivedWriter(folder, most_bytes, None if kept is None else kept.manifest)
        return Derivation(writer, waits=False)
    except OSError as problem:
        _log.info("derived tables are not kept: %s", problem)
        return None

"""What a detector adds to a verdict: what it saw, when the change began, and the history of its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiops_nb.core.protocols import Detector
from aiops_nb.core.quantities import unit_name
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, IntArray
from aiops_nb.detect.season_history import History


@dataclass(frozen=True, slots=True)
class Background:
    """Of m series of a table, as far as the detector knows; `onset_ns` is 0 where no change is going on."""

    history: History | None = None
    onset_ns: IntArray | None = None
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, detector: Detector, table: FeatureTable, series: IntArray, feature: str) -> Background:
        """Ask the detector of the series at these places, before it learns the table."""
        history, onset_ns = (_asked(detector, name, table) for name in ("history", "onset_ns"))
        about = _asked(detector, "about", table)
        units = (unit_name(feature, table.series[at].metric) for at in series.tolist())
        return cls(
            None if history is None else _part(history, series),
            None if onset_ns is None else onset_ns[series],
            () if about is None else tuple(about(at, unit) for at, unit in zip(series.tolist(), units, strict=True)),
        )

    def detail(self, number: int) -> str:
        """What the detector saw in one of the series."""
        return self.details[number] if self.details else ""

    def sentences(self, number: int) -> list[str]:
        """Notes on one of the series: what its baseline is made of, and since when it changes.

        Examples
        --------
        >>> import numpy as np
        >>> Background(onset_ns=np.array([90 * 10**9])).sentences(0)
        ['changing since 1970-01-01T00:01:30Z']
        """
        notes = [self.history.sentence(number)] if self.history is not None else []
        if self.onset_ns is not None and self.onset_ns[number] > 0:
            began = datetime.fromtimestamp(int(self.onset_ns[number]) // NS_PER_SECOND, UTC)
            notes.append(f"changing since {began:%Y-%m-%dT%H:%M:%SZ}")
        return notes


def _part(history: History, series: IntArray) -> History:
    return History(days=history.days[series], weeks=history.weeks[series], basis=history.basis[series])


def _asked(detector: Detector, name: str, table: FeatureTable) -> Any:
    ask = getattr(detector, name, None)
    return ask(table) if ask else None

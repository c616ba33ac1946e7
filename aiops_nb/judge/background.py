"""What a detector can add to an alert: what it saw, when the change began, and how much history it expects by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, IntArray
from aiops_nb.detect.history import History


@dataclass(frozen=True, slots=True)
class Background:
    """Of the n series of a table, as far as the detector knows; `onset_ns` is 0 where no change is going on."""

    history: History | None = None
    onset_ns: IntArray | None = None
    about: Callable[[int, str], str] | None = None

    @classmethod
    def of(cls, detector: Detector, table: FeatureTable) -> Background:
        """Ask the detector, before it learns the table."""
        history, onset_ns = (getattr(detector, name, None) for name in ("history", "onset_ns"))
        detail = getattr(detector, "detail", None)
        about = partial(detail, table) if detail else None
        return cls(history(table) if history else None, onset_ns(table) if onset_ns else None, about)

    def detail(self, at: int, unit_name: str) -> str:
        """What the detector saw in one series, in words; ask before it learns. `unit_name` tells the unit."""
        return self.about(at, unit_name) if self.about else ""

    def sentences(self, at: int) -> list[str]:
        """What there is to say of one series.

        Examples
        --------
        >>> import numpy as np
        >>> Background(onset_ns=np.array([90 * 10**9])).sentences(0)
        ['changing since 1970-01-01T00:01:30Z']
        """
        told = [f"expected {self.history.sentence(at)}"] if self.history is not None else []
        if self.onset_ns is not None and self.onset_ns[at] > 0:
            began = datetime.fromtimestamp(int(self.onset_ns[at]) // NS_PER_SECOND, UTC)
            told.append(f"changing since {began:%Y-%m-%dT%H:%M:%SZ}")
        return told

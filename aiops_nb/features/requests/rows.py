"""The columns of request rows that the features need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops_nb.core.types import BoolArray, FloatArray, IntArray

PHASES = ("resolve", "connect", "tls", "wait", "transfer")
UNKNOWN_EXPIRY = 0
MOST_ROWS, MOST_PARTS = 1 << 15, 1 << 10


@dataclass(frozen=True, slots=True)
class RequestRows:
    """The columns that the features need, each (rows,).

    `status_code` is 0 where none was received, `duration_seconds` NaN where unknown; `failed` marks requests that got
    no valid answer. `phase_seconds` (5, rows) is NaN where unknown, `certificate_expires_ns` 0; either is None where no
    row knows it.
    """

    window: IntArray
    series: IntArray
    status_code: IntArray
    failed: BoolArray
    duration_seconds: FloatArray
    phase_seconds: FloatArray | None = None
    certificate_expires_ns: IntArray | None = None

    def take(self, rows: IntArray | BoolArray | slice) -> RequestRows:
        """A part of the rows."""
        phases, expires = self.phase_seconds, self.certificate_expires_ns
        return RequestRows(
            self.window[rows],
            self.series[rows],
            self.status_code[rows],
            self.failed[rows],
            self.duration_seconds[rows],
            None if phases is None else phases[:, rows],
            None if expires is None else expires[rows],
        )


class WaitingRequests:
    """Holds parts of batches, so that many small ones cost no more than one; `full` when they must wait no longer."""

    def __init__(self) -> None:
        self._parts: list[RequestRows] = []
        self._rows = 0

    @property
    def full(self) -> bool:
        """Whether so much waits that it would be felt in memory."""
        return self._rows >= MOST_ROWS or len(self._parts) >= MOST_PARTS

    def add(self, part: RequestRows) -> None:
        """Hold one more part, of at least one row."""
        self._parts.append(part)
        self._rows += len(part.series)

    def take(self) -> RequestRows | None:
        """All that waits, as one; None if nothing does."""
        parts, self._parts, self._rows = self._parts, [], 0
        if len(parts) < 2:
            return parts[0] if parts else None
        return _joined(parts)


def _joined(parts: Sequence[RequestRows]) -> RequestRows:
    return RequestRows(
        np.concatenate([part.window for part in parts]),
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.status_code for part in parts]),
        np.concatenate([part.failed for part in parts]),
        np.concatenate([part.duration_seconds for part in parts]),
        _joined_phases(parts),
        _joined_expiries(parts),
    )


def _joined_phases(parts: Sequence[RequestRows]) -> FloatArray | None:
    if all(part.phase_seconds is None for part in parts):
        return None
    known = [(part.phase_seconds, (len(PHASES), len(part.series))) for part in parts]
    return np.concatenate([np.full(shape, np.nan) if one is None else one for one, shape in known], axis=1)


def _joined_expiries(parts: Sequence[RequestRows]) -> IntArray | None:
    if all(part.certificate_expires_ns is None for part in parts):
        return None
    known = [(part.certificate_expires_ns, len(part.series)) for part in parts]
    return np.concatenate([np.full(n, UNKNOWN_EXPIRY, np.int64) if one is None else one for one, n in known])

"""The columns of request rows that the features need."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_nb.core.types import BoolArray, FloatArray, IntArray

PHASES = ("resolve", "connect", "tls", "wait", "transfer")
UNKNOWN_EXPIRY = 0


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

"""How long the newest known certificate of each target is still valid."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.features.requests.rows import UNKNOWN_EXPIRY, RequestRows


class Certificates:
    """Seconds left of the certificate that the newest row knew, NaN before the first; negative once it has expired.

    A target keeps what was last known of it while it cannot be reached. Memory: 8 bytes a series.
    """

    def __init__(self) -> None:
        self._expires_ns: IntArray = np.full(64, UNKNOWN_EXPIRY, np.int64)
        self._open: dict[int, list[tuple[IntArray, IntArray]]] = {}
        self._any = False

    def add(self, window: int, series: IntArray, expires_ns: IntArray) -> None:
        """Take rows of one open window in stream order."""
        known = expires_ns != UNKNOWN_EXPIRY
        if known.any():
            self._open.setdefault(window, []).append((series[known], expires_ns[known]))

    def close(self, window: int, end_ns: int, count: int) -> FloatArray:
        """Close the next window: seconds left of each of the first `count` series at its end."""
        known = self.expires(window, count)
        if known is None:
            return np.full(count, np.nan)
        expires = known[:count]
        return np.where(expires == UNKNOWN_EXPIRY, np.nan, (expires - end_ns) / 1e9)

    def expires(self, window: int, count: int) -> IntArray | None:
        """Close the next window: when the newest certificate of at least `count` series ends; None if none was seen."""
        for series, expires_ns in self._open.pop(window, ()):
            self._make_room(int(series.max()) + 1)
            self._any = True
            self._expires_ns[series] = expires_ns  # of one series' rows the last one stays
        if not self._any:
            return None
        self._make_room(count)
        return self._expires_ns

    def move_on_windows(
        self, window: int, windows: int, count: int, rows: RequestRows, place: IntArray
    ) -> tuple[IntArray | None, IntArray | None]:
        """Close windows in a row with these rows, in the order of their windows.

        Gives what the compiled kernel moves on: when the newest certificate of each series ends before them, and what
        each window brings, (windows, count), or `UNKNOWN_EXPIRY`; None where nothing is known.
        """
        seen = [(at, part) for at in range(windows) for part in self._open.pop(window + at, ())]
        known = None if rows.certificate_expires_ns is None else rows.certificate_expires_ns != UNKNOWN_EXPIRY
        any_known = known is not None and bool(known.any())
        self._any = self._any or any_known or bool(seen)
        if not self._any:
            return None, None
        self._make_room(count)
        if not seen and not any_known:
            return self._expires_ns, None
        newer = np.full((windows, count), UNKNOWN_EXPIRY, np.int64)
        for at, (series, expires_ns) in seen:
            newer[at, series] = expires_ns
        if known is not None and rows.certificate_expires_ns is not None:
            newer[place[known], rows.series[known]] = rows.certificate_expires_ns[known]
        return self._expires_ns, newer

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, len(self._expires_ns))
        if capacity > len(self._expires_ns):
            self._expires_ns = widened(self._expires_ns, capacity, UNKNOWN_EXPIRY)

"""Targets that were paused or removed while the monitor runs: nothing is expected of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops_nb.core.types import BoolArray, FloatArray, IntArray, SeriesKey

PROBE = "probe"


class InactiveTargets:
    """Which probed targets are paused or removed, and from which window on their features are not known.

    The window in which a target was paused is still judged. A target that is resumed becomes active with its next row:
    until then its silence is our doing.

    Examples
    --------
    >>> inactive, keys = InactiveTargets(), (SeriesKey("a", origin="probe"), SeriesKey("b", origin="probe"))
    >>> inactive.end("a", after_window=7)
    >>> inactive.used(np.array([0, 1, 0]), keys), inactive.mask(7, keys), inactive.mask(8, keys)
    (array([False,  True, False]), array([False, False]), array([ True, False]))
    >>> inactive.resume("a")
    >>> inactive.used(np.array([0]), keys) is None, inactive.mask(9, keys) is None
    (True, True)
    """

    def __init__(self) -> None:
        self._last_window: dict[str, int] = {}
        self._resumed: set[str] = set()
        self._places: dict[str, int] = {}
        self._placed = 0

    @property
    def any(self) -> bool:
        """Whether a target is paused or removed."""
        return bool(self._last_window)

    def end(self, target: str, after_window: int) -> None:
        """A target is paused or removed; `after_window` is the last one that has rows of it."""
        self._resumed.discard(target)
        self._last_window[target] = after_window

    def resume(self, target: str) -> None:
        """A target is asked again."""
        if target in self._last_window:
            self._resumed.add(target)

    def used(self, series: IntArray, keys: Sequence[SeriesKey]) -> BoolArray | None:
        """Which of some rows are used, (rows,): not those that were on their way; None: all."""
        if not self._last_window:
            return None
        for target in [one for one in self._resumed if self._place(one, keys) in series]:
            self._resumed.remove(target)
            del self._last_window[target]
        gone = [self._place(target, keys) for target in self._last_window if target not in self._resumed]
        unused: BoolArray = np.isin(series, gone)
        return ~unused if unused.any() else None

    def mask(self, window: int, keys: Sequence[SeriesKey]) -> BoolArray | None:
        """Whose features are not known in a window, (n,); None: all may be."""
        if not self._last_window:
            return None
        gone = np.zeros(len(keys), np.bool_)
        for target, last in self._last_window.items():
            place = self._place(target, keys)
            gone[place : place + 1] |= place >= 0 and window > last
        return gone

    def write_unknown(self, window: int, keys: Sequence[SeriesKey], values: FloatArray) -> None:
        """Write NaN over the features, (k, n), of those that are inactive in a window."""
        gone = self.mask(window, keys)
        if gone is not None:
            values[:, gone] = np.nan

    def _place(self, target: str, keys: Sequence[SeriesKey]) -> int:
        """Number of the series of a target; -1 before its first row."""
        for place in range(self._placed, len(keys)):
            if keys[place].origin == PROBE:
                self._places[keys[place].target] = place
        self._placed = max(self._placed, len(keys))
        return self._places.get(target, -1)

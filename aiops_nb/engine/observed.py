"""When the stream was really observed: not while the monitor slept, and not while what came was late."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, FloatArray
from aiops_nb.features.windows import FeatureWindows

SLEEP_NS = 5 * NS_PER_SECOND  # beats come every 1 to 1.25 s; more is no delay of one beat
LATE_SHARE = 10  # one row in so many is late: the others say little about the rate
LONG_AGO = -(1 << 62)


class ObservedTime:
    """What is known of rates and silences.

    The recorded clock beats once a second. If it jumps by more than 5 s, the monitor was stopped: a suspended laptop,
    SIGSTOP, a paused container. No rate is known of that time, nor for one span after it, and silence counts from the
    end of it. The beats are recorded, so a replay knows it too; the kernel's clocks (CLOCK_BOOTTIME against
    CLOCK_MONOTONIC) see a suspended machine, but neither SIGSTOP nor a paused container.

    Rows that come too late for their window (a log in local time on the night the clocks go back) are not analysed,
    but they are not silence either: a rate is not known while one row in ten is late.

    Parameters
    ----------
    span_ns
        Length of the sliding span over which rates are taken.
    """

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._clock_ns: int | None = None
        self._woke_ns = self._late_ns = self._any_late_ns = LONG_AGO
        self._late_until_ns = LONG_AGO
        self._rows = self._late = 0

    @property
    def is_settled(self) -> bool:
        """Whether no row of the open window was late."""
        return not self._late

    def would_wake(self, before_ns: int | None, time_ns: int) -> bool:
        """Whether the monitor had slept before a heartbeat of the clock; `before_ns` is the one before, if any."""
        return before_ns is not None and time_ns - before_ns > SLEEP_NS

    @property
    def clock_ns(self) -> int | None:
        """The last heartbeat of the clock."""
        return self._clock_ns

    def after_clock(self, time_ns: int) -> int:
        """A heartbeat of the clock; how long the monitor had slept before it, 0 if it had not.

        Examples
        --------
        >>> observed = ObservedTime(60 * NS_PER_SECOND)
        >>> [observed.after_clock(second * NS_PER_SECOND) // NS_PER_SECOND for second in (100, 101, 211, 212)]
        [0, 0, 110, 0]
        """
        before, self._clock_ns = self._clock_ns, max(time_ns, self._clock_ns or time_ns)
        if before is None or not self.would_wake(before, time_ns):
            return 0
        self._woke_ns = time_ns
        return time_ns - before

    def add(self, rows: int, late: int) -> None:
        """Count rows of requests in the open window, of which some were late."""
        self._rows += rows
        self._late += late
        if late and self._clock_ns is not None:  # windows wait while only late rows come
            self._late_until_ns = self._clock_ns

    def close(self, end_ns: int) -> None:
        """The open window ends."""
        if self._late:
            self._any_late_ns = max(end_ns, self._late_until_ns)
            if self._late * LATE_SHARE >= self._rows:
                self._late_ns = self._any_late_ns
        self._rows = self._late = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was missed so far."""
        return self._woke_ns == LONG_AGO and self._any_late_ns == LONG_AGO

    def mask_windows(self, features: FeatureWindows, *, requests: bool = True) -> None:
        """The same of windows in a row."""
        if self.is_whole:
            return
        for place, values in enumerate(features.values):
            self.mask(features.end_ns(place), features.names, values, requests=requests)

    def mask(self, end_ns: int, names: tuple[str, ...], values: FloatArray, *, requests: bool = True) -> None:
        """Write NaN over rates that are not known at the end of a window, and shorten silences; `values` is (k, n).

        Only requests have rows that are counted as late.
        """
        if self.is_whole:
            return
        rates_known = end_ns - max(self._woke_ns, self._late_ns) >= self._span_ns
        silent_ns = end_ns - max(self._woke_ns, self._any_late_ns if requests else LONG_AGO)
        for row, name in enumerate(names):
            if name == "silent_seconds":
                longest = silent_ns / NS_PER_SECOND if silent_ns > 0 else np.nan
                values[row] = np.minimum(values[row], longest)
            elif requests and name.startswith("rate_hz") and not rates_known:
                values[row] = np.nan

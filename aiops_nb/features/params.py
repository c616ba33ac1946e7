"""How the stream is cut into windows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.core.types import NS_PER_SECOND

LONGEST_SECONDS = 31 * 86_400.0  # of a window, a wait: what a recording says beyond would never end its replay
Positive = Annotated[float, Meta(gt=0, le=LONGEST_SECONDS)]
MOST_HORIZONS = 8


class WindowParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Event-time windows and the rules of lateness.

    Attributes
    ----------
    tick_seconds
        Width of a window; features, scores and tick rules are evaluated once a window.
    span_ticks
        Sliding features (ratios, quantiles) cover this many windows.
    horizons_seconds
        Moving statistics (EMA, slope, mean, standard deviation) are computed over each of these.
    lateness_seconds
        How long a window waits for rows that arrive out of order.
    idle_seconds
        A source unheard of for so long (of recorded heartbeats) stops holding the windows of the others; it is also
        the most by which one source may run ahead of another before it drags the watermark along.
    ahead_seconds
        A row so far ahead of the recorded clock is counted and never used.
    gap_ticks
        At most so many empty windows are closed after the last row of a long gap (at least the span).
    max_series
        Further series of a table share one named `__other__`.
    objective_targets
        Targets whose errors are kept for 3 days, for burn rates of their own; 10 KB each. All together always are.
    """

    tick_seconds: Annotated[float, Meta(ge=0.001, le=LONGEST_SECONDS)] = 1.0
    span_ticks: Annotated[int, Meta(ge=1, le=3600)] = 60
    horizons_seconds: Annotated[tuple[Positive, ...], Meta(max_length=MOST_HORIZONS)] = (60.0, 300.0)
    lateness_seconds: Annotated[float, Meta(ge=0, le=LONGEST_SECONDS)] = 1.0
    idle_seconds: Positive = 10.0
    ahead_seconds: Positive = 60.0
    gap_ticks: Annotated[int, Meta(ge=1, le=86_400)] = 60
    max_series: Annotated[int, Meta(ge=1, le=1 << 24)] = 1 << 18
    objective_targets: tuple[str, ...] = ()

    @property
    def tick_ns(self) -> int:
        """Width of a window in nanoseconds."""
        return round(self.tick_seconds * NS_PER_SECOND)

    @property
    def lateness_ns(self) -> int:
        """Allowed lateness in nanoseconds."""
        return round(self.lateness_seconds * NS_PER_SECOND)

    @property
    def idle_ns(self) -> int:
        """Idle limit in nanoseconds."""
        return round(self.idle_seconds * NS_PER_SECOND)

    @property
    def ahead_ns(self) -> int:
        """Limit of the future in nanoseconds."""
        return round(self.ahead_seconds * NS_PER_SECOND)

"""What the arithmetic of a streaming detector is made of, and the walk of one series by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.types import BoolArray, FloatArray

Direction = Literal["above", "below", "both"]
Verdict = tuple[FloatArray, FloatArray, FloatArray]
LARGEST = 1e300  # differences and sums of such are floats still


def known(value: FloatArray) -> BoolArray:
    """Where a value can be judged: a number no larger than LARGEST either way.

    Examples
    --------
    >>> known(np.array([0.0, -1e300, 1e301, np.inf, np.nan])).tolist()
    [True, True, False, False, False]
    """
    within: BoolArray = np.abs(value) <= LARGEST
    return within


class StreamParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Parameters of every streaming detector.

    Attributes
    ----------
    timezone
        Named zone whose time of the day counts, daylight saving included.
    interval_seconds
        Typical distance of two values; None: 300 or less. It sets how many parts a day is divided into (24 to 288).
    direction
        Which side of the expected value can be anomalous.
    min_deviation
        A value no farther from the expected one is never anomalous; in the feature's unit.
    relearn_ticks
        Values in a row that may be excluded from learning because they were anomalous; then the new level is accepted.
    relearn_seconds
        The same in time since the first of them, if there were ten at least; whichever comes first.
    """

    timezone: str = "UTC"
    interval_seconds: Annotated[float, Meta(gt=0)] | None = None
    direction: Direction = "both"
    min_deviation: Annotated[float, Meta(ge=0)] = 0.0
    relearn_ticks: Annotated[int, Meta(ge=0)] = 300
    relearn_seconds: Annotated[float, Meta(gt=0)] = 3600.0


class Kernel(NamedTuple):
    """The functions of a detector; they work on the state that `empty` makes.

    Attributes
    ----------
    empty
        (count, bins, params) -> state: a named tuple, maybe nested, of numbers and flat arrays of `count` series each.
    begin
        (series, x, state): start series at their first value.
    judge
        (series, x, time_bin, state) -> raw score, expected, half_band. Raw score is NaN while warming up;
        `time_bin` counts the parts of the week from Monday. It may write only what `learn` reads next.
    learn
        (series, x, time_bin, state): take in what was just judged.
    follow
        (series, x, state): let it pass without learning from it.
    explain
        (series, x, time_bin, state) -> how much each of `parts` adds to the raw score; None: there is but one.
    parts
        Names of what is explained.
    history
        (series, time_bin, state) -> days and weeks that this phase was seen on, and what is judged by: 0 the slow
        centre, 1 the time of the day, 2 the hour of the week; None: it has no phases to say it of.
    onset
        (series, state) -> how many values ago the change began that is going on, 0 if there is none; None: unknown.
    """

    empty: Callable[[int, int, Any], Any]
    begin: Callable[..., None]
    judge: Callable[..., Verdict]
    learn: Callable[..., None]
    follow: Callable[..., None]
    explain: Callable[..., tuple[FloatArray, ...]] | None = None
    parts: tuple[str, ...] = ()
    history: Callable[..., tuple[FloatArray, FloatArray, FloatArray]] | None = None
    onset: Callable[..., Any] | None = None


def _unbound(*_: Any) -> Any:
    raise NotImplementedError


begin_series: Callable[..., None] = _unbound
judge_point: Callable[..., Verdict] = _unbound
learn_point: Callable[..., None] = _unbound


def walk(x: Any, time_bin: Any, state: Any, out: Any, fresh: bool) -> None:
    """Judge, then learn, each value of one series, a `fresh` one or one that has begun; NaN is passed over.

    `out` is raw score, expected, half band.
    """
    raw_score, expected, half_band = out
    for at in range(len(x)):
        value = x[at]
        if value == value:
            if fresh:
                begin_series(0, value, state)
                fresh = False
            raw_score[at], expected[at], half_band[at] = judge_point(0, value, time_bin[at], state)
            learn_point(0, value, time_bin[at], state)

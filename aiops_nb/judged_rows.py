"""Why rows of a series or a frame are alarms, as columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from aiops_nb.core.readable import readable
from aiops_nb.core.types import BoolArray, FloatArray, Scores
from aiops_nb.judge.sentences import band_of, because, bounds_of

AnyArray = np.ndarray[Any, np.dtype[Any]]
Shares = Mapping[int, Mapping[str, float]]


def reason_columns(
    detector: str, values: Mapping[str, FloatArray], scores: Scores, alarm: BoolArray, shares: Shares
) -> dict[str, AnyArray]:
    """Columns detector, contributions and summary; the last two are null where there is no alarm.

    Examples
    --------
    >>> scores = Scores(*np.array([[60.0], [0.1], [np.nan], [0.2]]))
    >>> alarm, values = np.array([True]), {"wait_seconds": np.array([0.5])}
    >>> columns = reason_columns("faults", values, scores, alarm, {0: {"value": 0.8, "change": 0.2}})
    >>> columns["summary"][0]
    'wait_seconds 500 ms, expected 100 ms, at most 200 ms; unusual is above all the value (80%)'
    >>> columns["contributions"][0]
    '{"value": 0.8, "change": 0.2}'
    """
    contributions, summary = (np.full(len(alarm), None, object) for _ in range(2))
    for at in np.flatnonzero(alarm).tolist():
        parts = shares[at]
        told = [f"{name} {readable(float(value[at]), name)}" for name, value in values.items()]
        summary[at] = ", ".join([*told, *band_of(bounds_of(scores, at), next(iter(values)))]) + because(parts)
        alone = {} if len(values) > 1 else dict.fromkeys(values, 1.0)
        contributions[at] = json.dumps(dict(parts) or alone)
    return {"detector": np.full(len(alarm), detector, object), "contributions": contributions, "summary": summary}

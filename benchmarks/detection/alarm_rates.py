"""How many false alarms a day come of a threshold that was asked for by their rate: on real and on healthy series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from aiops_nb.detect.registry import STREAMING
from aiops_nb.offline.score import score_series
from benchmarks.detection import nab, real_table, service
from benchmarks.detection.events import Found, found
from benchmarks.detection.labelled import DAY, Labelled

ASKED = (0.1, 0.5, 2.0)
HEALTHY_POINTS = {1: 86_400, 60: 14_400}  # by the seconds between two
FIRST = 1440


def table(numenta: Path, seed: int, reported: Callable[[str], None]) -> pd.DataFrame:
    """A row a detector and rate asked for; the seed is not that of the lines."""
    series = {"real": real_table.real(nab.load(numenta)), **{f"{i} s": _healthy(seed, i) for i in HEALTHY_POINTS}}
    rows = {}
    for name in STREAMING:
        for asked in ASKED:
            rows[f"{name}, {asked:g}"] = {where: _rate(name, asked, many) for where, many in series.items()}
            reported(f"rates {name}, {asked:g}: {rows[f'{name}, {asked:g}']}")
    return pd.DataFrame(rows).T


def _healthy(seed: int, interval_seconds: int) -> list[Labelled]:
    drawn = service.healthy(seed + 1000, interval_seconds, HEALTHY_POINTS[interval_seconds])
    return [Labelled("healthy", one, (), FIRST) for one in drawn]


def _rate(name: str, asked: float, many: Sequence[Labelled]) -> float:
    """False alarms a day."""
    reported = sum(_judged(name, asked, one).false_alarms for one in many)
    return reported / sum((one.series.index[-1] - one.series.index[one.first]) / DAY for one in many)


def _judged(name: str, asked: float, one: Labelled) -> Found:
    is_anomaly = score_series(one.series, name, false_alarms_per_day=asked).is_anomaly
    return found([int(at) for at in np.flatnonzero(is_anomaly)], one.spans, one.first)

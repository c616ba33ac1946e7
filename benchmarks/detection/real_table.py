"""Real series of the Numenta benchmark: labelled windows found at three rates of false alarms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.detection.events import Trial, days, delays, false_alarms, share_found, threshold_at
from benchmarks.detection.labelled import Judge, Labelled, trials

RATES = (0.1, 0.5, 1.0)


def real(labelled: Sequence[Labelled]) -> list[Labelled]:
    return [one for one in labelled if one.category.startswith("real")]


def row(labelled: Sequence[Labelled], judge: Judge) -> dict[str, float]:
    """`found` with the lowest threshold that keeps the rate on these very series; `elsewhere` with the one that keeps
    0.5 a day on the other categories, and how many false alarms a day that made."""
    scored = trials(judge, labelled)
    reported = {f"found at {rate:g} a day": share_found(scored, threshold_at(scored, rate)) for rate in RATES}
    return {**reported, **crossed(scored, [one.category for one in labelled], 0.5)}


def crossed(scored: Sequence[Trial], categories: Sequence[str], rate: float) -> dict[str, float]:
    hits: list[bool] = []
    wrong = 0
    for category in sorted(set(categories)):
        here = [trial for trial, of in zip(scored, categories, strict=True) if of == category]
        threshold = threshold_at([trial for trial, of in zip(scored, categories, strict=True) if of != category], rate)
        hits += [delay is not None for delay in delays(here, threshold)]
        wrong += false_alarms(here, threshold)
    return {"cross-validated": float(np.mean(hits)), "false alarms a day": wrong / days(scored)}

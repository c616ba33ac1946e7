"""Which of many targets are shown: the troubled first, then the busy ones, and calmly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.view.data.alert_log import SEVERITY
from aiops_nb.view.data.store import ViewStore

SHOWN = 8
DOWN = 2.5  # worse than a warning


def trouble_of(store: ViewStore) -> FloatArray:
    """Trouble of each requests series: the worst alert that fires, or being down."""
    trouble = np.where(store.down, DOWN, 0.0)
    worst: dict[str, float] = {}
    for change in store.alerts.firing():
        target = change.labels.get("target", "")
        worst[target] = max(worst.get(target, 0.0), SEVERITY.get(change.labels.get("severity", ""), 1.0))
    if worst:
        trouble = np.maximum(trouble, [worst.get(key.target, 0.0) for key in store.series.keys[: len(trouble)]])
    return trouble


def choose(store: ViewStore, shown: Sequence[int], wanted: Sequence[int] = (), most: int = SHOWN) -> list[int]:
    """Numbers of the series to show, each at the place that it has already.

    Parameters
    ----------
    store
        Knows trouble and rates.
    shown
        Those shown now, by place.
    wanted
        Those that a person picked; none picked: the troubled, then the busy, first come first.
    most
        How many fit.
    """
    count = len(store.series.keys)
    if wanted:
        return _in_place(list(wanted)[:most], shown)
    if count <= most:
        return list(range(count))
    trouble = np.zeros(count)
    trouble[: len(store.down)] = trouble_of(store)
    rate = np.zeros(count)
    known = min(count, store.requests.width)
    rate[:known] = np.nan_to_num(store.requests.recent_mean("rate", 10)[:known])
    rate[list(shown)] *= 1.5  # whoever is shown stays, unless another is clearly busier
    return _in_place(np.lexsort((-rate, -trouble))[:most].tolist(), shown)


def _in_place(chosen: list[int], shown: Sequence[int]) -> list[int]:
    """The chosen, those shown already at their old places.

    Examples
    --------
    >>> _in_place([7, 1, 9], [1, 2, 7])
    [1, 9, 7]
    """
    places: list[int | None] = [one if one in chosen else None for one in shown][: len(chosen)]
    places += [None] * (len(chosen) - len(places))
    waiting = [one for one in chosen if one not in places]
    return [waiting.pop(0) if place is None else place for place in places]

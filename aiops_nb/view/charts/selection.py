"""Which of many targets are shown: those with alerts first, then the busiest, with few changes of place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.view.data.alert_log import SEVERITY, severity_of
from aiops_nb.view.data.store import ViewStore

SHOWN = 8
FAILING = 2.5  # the last request failed: worse than a warning
ERROR = SEVERITY["error"]


def trouble_of(store: ViewStore) -> FloatArray:
    """Trouble of each requests series: the severity of its worst alert that fires, or that its last request failed.

    An alert that a grouped alert inhibits counts: its target is one of the group.
    """
    trouble = np.where(store.down, FAILING, 0.0)
    worst: dict[str, float] = {}
    for change in store.alerts.active():
        if change.is_firing:
            target = change.labels.get("target", "")
            worst[target] = max(worst.get(target, 0.0), severity_of(change) or 1.0)
    if worst:
        trouble = np.maximum(trouble, [worst.get(key.target, 0.0) for key in store.series.keys[: len(trouble)]])
    return trouble


def matching(store: ViewStore, text: str) -> list[int]:
    """Numbers of the series whose name or URL holds every word of one of the comma-separated phrases of a filter.

    Examples
    --------
    >>> from aiops_nb.core.types import SeriesKey
    >>> store = ViewStore()
    >>> numbers = [store.series.number(SeriesKey(f"http://h/api/{name}")) for name in ("users", "orders")]
    >>> matching(store, "API user"), matching(store, "order, USER"), matching(store, "nothing")
    ([0], [0, 1], [])
    """
    phrases = [words for phrase in text.casefold().split(",") if (words := phrase.split())]
    names = zip(store.names.all(), store.series.keys, strict=True)
    texts = [f"{name} {key.target}".casefold() for name, key in names]
    return [number for number, known in enumerate(texts) if any(all(word in known for word in one) for one in phrases)]


def choose(
    store: ViewStore,
    shown: Sequence[int],
    among: Sequence[int] | None = None,
    most: int = SHOWN,
    focus: int | None = None,
) -> list[int]:
    """Numbers of the series to show, each at the place that it has already.

    Parameters
    ----------
    store
        Knows alerts and rates.
    shown
        Those shown now, by place.
    among
        Those that a filter matches; None: all.
    most
        How many fit.
    focus
        One that is shown in any case, if it is among them.
    """
    count = len(store.series.keys)
    candidates = np.arange(count) if among is None else np.array(among, np.int64)
    if len(candidates) <= most:
        return _in_place(candidates.tolist(), shown)
    trouble = np.zeros(count)
    trouble[: len(store.down)] = trouble_of(store)
    if focus is not None:
        trouble[focus] = np.inf
    rate = np.zeros(count)
    known = min(count, store.requests.width)
    rate[:known] = np.nan_to_num(store.requests.recent_mean("rate", 10)[:known])
    rate[list(shown)] *= 1.5  # a target that is shown stays, unless another one is clearly busier
    order = np.lexsort((-rate[candidates], -trouble[candidates]))
    return _in_place(candidates[order][:most].tolist(), shown)


def _in_place(chosen: list[int], shown: Sequence[int]) -> list[int]:
    """The chosen, those shown already at their old places.

    Examples
    --------
    >>> _in_place([7, 1, 9], [1, 2, 7])
    [1, 9, 7]
    """
    kept: list[int | None] = [one if one in chosen else None for one in shown][: len(chosen)]
    kept += [None] * (len(chosen) - len(kept))
    waiting = [one for one in chosen if one not in kept]
    return [waiting.pop(0) if place is None else place for place in kept]

"""The busiest clients of a window as a table of features."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FeatureTable, FloatArray, IntArray, SeriesKey
from aiops_nb.features.clients.slots import largest
from aiops_nb.features.clients.window import ClientWindow

CLIENT_FEATURES = (
    "count",
    "rate_hz",
    "share_ratio",
    "error_ratio",
    "refused_ratio",
    "target_count",
    "top_target_ratio",
    "period_seconds",
    "period_variation_ratio",
    "new_ratio",
)
EVERYBODY = SeriesKey("", client="__all__")


class ClientTable:
    """Features of all clients together, and of the busiest ones; the rows differ from window to window.

    Parameters
    ----------
    most
        Clients listed, at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[int, SeriesKey] = {}

    def of(self, window: ClientWindow) -> FeatureTable:
        """The table of one closed window."""
        top = largest(window.clients.count, self._most)
        keys = (EVERYBODY, *self._named(window, top))
        values = np.column_stack([_all(window), _each(window, top)])
        return FeatureTable("clients", window.end_ns, keys, CLIENT_FEATURES, values)

    def _named(self, window: ClientWindow, top: IntArray) -> list[SeriesKey]:
        """Keys are shared from window to window; those of clients that are not listed any more are let go."""
        known, listed = self._keys, [(window.client_key(slot), slot) for slot in top.tolist()]
        self._keys = {key: known.get(key) or SeriesKey("", client=window.client_name(slot)) for key, slot in listed}
        return [self._keys[key] for key, _ in listed]


def _all(window: ClientWindow) -> FloatArray:
    targets, clients, span = window.targets, window.clients, window.span_seconds
    total, counted = int(targets.count[0]), max(int(clients.count.sum()), 1)
    used = targets.count[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        new = float(targets.new_hz[0] / targets.rate_hz[0])
        top = float(np.divide(used.max(initial=0), total))
    ratios = (1.0, clients.erred.sum() / counted, clients.refused.sum() / counted)
    return np.array([total, total / span, *ratios, np.count_nonzero(used), top, np.nan, np.nan, new])


def _each(window: ClientWindow, top: IntArray) -> FloatArray:
    clients, pairs = window.clients, window.pairs
    count = clients.count[top].astype(np.float64)
    place = np.full(len(clients.count), -1)
    place[top] = np.arange(len(top))
    shown = np.flatnonzero((pairs.count > 0) & (place[pairs.client] >= 0))
    shown = shown[np.argsort(pairs.count[shown], kind="stable")]  # the busiest pair of a client is written last
    at = place[pairs.client[shown]]
    busiest = np.full((3, len(top)), np.nan)
    busiest[0, at] = pairs.count[shown] / count[at]
    busiest[1:, at] = pairs.periods(shown)
    share = count / max(int(window.targets.count[0]), 1)
    ratios = (share, clients.erred[top] / count, clients.refused[top] / count)
    targets = np.bincount(at, minlength=len(top))
    return np.stack([count, count / window.span_seconds, *ratios, targets, *busiest, np.full(len(top), np.nan)])

"""Rows with a client: they wait for the end of a window, and their texts become numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import OTHER, BoolArray, IntArray, SeriesKey
from aiops_nb.features.clients.keys import ClientKeys, KeyArray

MOST_ROWS, MOST_PARTS, MOST_BYTES = 1 << 15, 1 << 10, 1 << 22
_UNSEEN, _NOT_TRAFFIC = -2, -1


@dataclass(frozen=True, slots=True)
class RequestPart:
    """A part of a batch, each (rows,); `series` are those of requests, `client` the texts, null if unknown."""

    window: IntArray
    time_ns: IntArray
    series: IntArray
    status_code: IntArray
    failed: BoolArray
    client: pa.Array

    def take(self, rows: IntArray | slice) -> RequestPart:
        """Some of the rows."""
        client = self.client[rows] if isinstance(rows, slice) else self.client.take(pa.array(rows))
        return RequestPart(
            self.window[rows],
            self.time_ns[rows],
            self.series[rows],
            self.status_code[rows],
            self.failed[rows],
            client,
        )


class WaitingRows:
    """Holds parts of batches, so that many small ones cost no more than one; `full` when they must wait no longer."""

    def __init__(self) -> None:
        self._parts: list[RequestPart] = []
        self._rows = self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether so much waits that it would be felt in memory."""
        return self._rows >= MOST_ROWS or len(self._parts) >= MOST_PARTS or self._bytes >= MOST_BYTES

    def add(self, part: RequestPart) -> None:
        """Hold one more part."""
        self._parts.append(part)
        self._rows += len(part.window)
        self._bytes += part.client.nbytes

    def take(self) -> RequestPart | None:
        """All that waits, as one; None if nothing does."""
        parts = self._parts
        self._parts, self._rows, self._bytes = [], 0, 0
        if len(parts) < 2:
            return parts[0] if parts else None
        return RequestPart(
            np.concatenate([part.window for part in parts]),
            np.concatenate([part.time_ns for part in parts]),
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.status_code for part in parts]),
            np.concatenate([part.failed for part in parts]),
            pa.concat_arrays([part.client for part in parts]),
        )


class TrafficTargets:
    """Codes of the targets of traffic, in the order of their first row; beyond `limit` they share one."""

    def __init__(self, limit: int) -> None:
        self.names: list[str] = [OTHER]
        self._limit = limit
        self._code = np.full(64, _UNSEEN, np.int64)
        self._seen = 0

    def see(self, series: tuple[SeriesKey, ...]) -> None:
        """Take in series that are new."""
        capacity = capacity_for(len(series), len(self._code))
        if capacity > len(self._code):
            self._code = widened(self._code, capacity, _UNSEEN)
        for place in range(self._seen, len(series)):
            self._code[place] = _UNSEEN if series[place].origin == "traffic" else _NOT_TRAFFIC
        self._seen = len(series)

    def is_traffic(self, series: IntArray) -> BoolArray:
        """Which rows are no probes of ours, (rows,)."""
        traffic: BoolArray = self._code[series] != _NOT_TRAFFIC
        return traffic

    def encode(self, series: IntArray, keys: tuple[SeriesKey, ...]) -> IntArray:
        """Codes of the targets of rows of traffic, (rows,)."""
        codes: IntArray = self._code[series]
        if codes.min() == _UNSEEN:
            fresh, first = np.unique(series[codes == _UNSEEN], return_index=True)
            for place in fresh[np.argsort(first)].tolist():
                self._code[place] = self._add(keys[place].target)
            codes = self._code[series]
        return codes

    def _add(self, name: str) -> int:
        if name == OTHER or len(self.names) > self._limit:
            return 0
        self.names.append(name)
        return len(self.names) - 1


@dataclass(frozen=True, slots=True)
class ClientRows:
    """One entry per row, each (rows,).

    `client` is the client's key, `target` a code that lasts. `erred`: 5xx, or no valid answer; `refused`: 401, 403 or
    404.
    """

    window: IntArray
    time_ns: IntArray
    client: KeyArray
    target: IntArray
    erred: BoolArray
    refused: BoolArray
    texts: pa.Array


def client_rows(
    part: RequestPart, series: tuple[SeriesKey, ...], keys: ClientKeys, targets: TrafficTargets
) -> ClientRows | None:
    """The rows of known clients in traffic; None if there are none. Our own probes are not looked at."""
    targets.see(series)
    traffic = targets.is_traffic(part.series)
    chosen = _some(part, traffic & np.asarray(part.client.is_valid()) if part.client.null_count else traffic)
    if chosen is None:
        return None
    key, wanted = keys.wanted(chosen.client)
    chosen = _some(chosen, wanted)
    return None if chosen is None else _rows(chosen, key[wanted], targets.encode(chosen.series, series))


def _some(part: RequestPart, wanted: BoolArray) -> RequestPart | None:
    if wanted.all():
        return part
    rows = np.flatnonzero(wanted)
    return part.take(rows) if len(rows) else None


def _rows(part: RequestPart, client: KeyArray, target: IntArray) -> ClientRows:
    status = part.status_code
    return ClientRows(
        window=part.window,
        time_ns=part.time_ns,
        client=client,
        target=target,
        erred=part.failed | (status >= 500),
        refused=(status >= 401) & (status <= 404) & (status != 402),
        texts=part.client,
    )

"""The rows of a batch that tell about clients: numbers in place of texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.columns import integers, times_ns
from aiops_nb.core.types import BoolArray, IntArray
from aiops_nb.features.client_keys import ClientKeys
from aiops_nb.features.series import Interner

UNRESOLVED = -2
_COLUMNS = ["time", "origin", "target", "status_code", "error_type", "client_ip"]


@dataclass(frozen=True, slots=True)
class ClientRows:
    """One entry per row, each (rows,).

    `client` is a place in the batch's own list of distinct clients, `target` a code that lasts. `erred`: 5xx, or no
    valid answer; `refused`: 401, 403 or 404.
    """

    window: IntArray
    time_ns: IntArray
    client: IntArray
    target: IntArray
    erred: BoolArray
    refused: BoolArray

    def take(self, rows: IntArray | BoolArray | slice) -> ClientRows:
        """A part of the rows."""
        return ClientRows(
            self.window[rows],
            self.time_ns[rows],
            self.client[rows],
            self.target[rows],
            self.erred[rows],
            self.refused[rows],
        )


class ClientBatch:
    """The clients of one batch: its rows, whom they are from, and where those have been put so far.

    `places` are the rows in the batch. `slots_of_clients` and `new_clients` are filled in as the rows are taken
    in.
    """

    def __init__(self, places: IntArray, rows: ClientRows, texts: pa.Array, keys: npt.NDArray[np.uint64]) -> None:
        self.places, self.rows = places, rows
        self.texts, self.keys = texts, keys
        self.unresolve(())

    def unresolve(self, state: tuple[int, ...]) -> None:
        """Slots were given up, and `state` tells when: what was found out does not hold any more."""
        self.state = state
        self.slots_of_clients = np.full(len(self.keys), UNRESOLVED, np.int64)
        self.new_clients = np.zeros(len(self.keys), np.bool_)

    def part(self, rows: slice, usable: BoolArray | None) -> ClientRows:
        """What is told by a part of the batch, of which only the usable rows (None: all) are not late."""
        first, last = np.searchsorted(self.places, (rows.start, rows.stop)).tolist()
        if usable is None:
            return self.rows.take(slice(first, last))
        return self.rows.take(first + np.flatnonzero(usable[self.places[first:last] - rows.start]))


def client_batch(batch: pa.RecordBatch, window: IntArray, keys: ClientKeys, targets: Interner) -> ClientBatch | None:
    """The rows of known clients in traffic; None if there are none. Our own probes are not looked at."""
    places = _traffic(batch)
    if not len(places):
        return None
    batch = batch.select(_COLUMNS)
    if len(places) < batch.num_rows:
        batch = batch.take(pa.array(places))
    distinct = batch.column("client_ip").dictionary_encode()
    key, wanted = keys.wanted(distinct.dictionary)
    client = np.asarray(distinct.indices, np.int64)
    if not wanted.all():
        kept = np.flatnonzero(wanted[client])
        if not len(kept):
            return None
        batch, client, places = batch.take(pa.array(kept)), client[kept], places[kept]
    rows = _rows(batch, window[places], client, targets.encode(batch.column("target")))
    return ClientBatch(places, rows, distinct.dictionary, key)


def _traffic(batch: pa.RecordBatch) -> IntArray:
    origin, client = batch.column("origin"), batch.column("client_ip")
    origins = origin.dictionary.to_pylist()
    if client.null_count == len(client) or "traffic" not in origins:
        return np.zeros(0, np.int64)
    told = pc.and_(pc.equal(origin.indices, origins.index("traffic")), client.is_valid()).fill_null(False)
    rows: IntArray = np.flatnonzero(np.asarray(told))
    return rows


def _rows(batch: pa.RecordBatch, window: IntArray, client: IntArray, target: IntArray) -> ClientRows:
    status = integers(batch.column("status_code"), 0)
    failed = np.asarray(batch.column("error_type").is_valid())
    return ClientRows(
        window=window,
        time_ns=times_ns(batch.column("time")),
        client=client,
        target=target,
        erred=failed | (status >= 500),
        refused=(status >= 401) & (status <= 404) & (status != 402),
    )

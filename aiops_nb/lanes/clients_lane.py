"""Clients of traffic: who they are, how busy, and who is unusual."""

from __future__ import annotations

import pyarrow as pa

from aiops_nb.core.types import AlertChange, BoolArray, IntArray, Tick
from aiops_nb.features.client_keys import ClientKeys
from aiops_nb.features.client_rows import ClientBatch, client_batch
from aiops_nb.features.client_table import ClientTable
from aiops_nb.features.clients import ClientFeatures
from aiops_nb.features.series import Interner
from aiops_nb.judge.client_judges import ClientJudges
from aiops_nb.judge.feature_judge import FeatureJudge
from aiops_nb.lanes.lane import AddRows
from aiops_nb.pipeline_params import PipelineParams

MOST_TARGETS = 1 << 14


def _nothing(part: slice, usable: BoolArray | None) -> list[AlertChange]:
    return []


class ClientsLane:
    """Requests of the origin `traffic` by client; the table lists the busiest of each window, all together first."""

    def __init__(self, params: PipelineParams) -> None:
        self.feature_judges: list[FeatureJudge] = []
        self._keys, self._targets = ClientKeys(params.clients), Interner(min(params.window.max_series, MOST_TARGETS))
        self._features = ClientFeatures(params.clients, params.window)
        self._table = ClientTable(params.clients.top_clients)
        self._judges = ClientJudges(params.client_rules, params.clients, params.window.tick_seconds)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once; the result adds parts of it."""
        clients = client_batch(batch, window, self._keys, self._targets)
        if clients is None:
            return _nothing
        return lambda part, usable: self._add(clients, part, usable)

    def _add(self, batch: ClientBatch, part: slice, usable: BoolArray | None) -> list[AlertChange]:
        rows = batch.part(part, usable)
        if len(rows.client):
            self._features.add(batch, rows)
        return []

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if not self._features.seen:
            return None, []
        told = self._features.close(window, end_ns, self._targets.names)
        table = self._table.of(told)
        unusual, changes = self._judges.tick(told)
        self._features.learn(told, unusual)
        return Tick(table), changes

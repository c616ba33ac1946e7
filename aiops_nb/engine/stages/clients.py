"""Clients of traffic: who they are, how busy, and who is anomalous."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import times_ns
from aiops_nb.core.types import AlertChange, BoolArray, Tick
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.requests import RequestsStage
from aiops_nb.engine.stages.stage import AddRows
from aiops_nb.features.clients.features import ClientFeatures
from aiops_nb.features.clients.keys import ClientKeys
from aiops_nb.features.clients.rows import RequestPart, TrafficTargets, WaitingRows, client_rows
from aiops_nb.features.clients.table import ClientTable
from aiops_nb.features.requests.rows import RequestRows
from aiops_nb.rules.client.judges import ClientJudges
from aiops_nb.rules.feature.judge import FeatureJudge

MOST_TARGETS = 1 << 14


def _nothing(part: slice, usable: BoolArray | None) -> list[AlertChange]:
    return []


class ClientsStage:
    """Requests of the origin `traffic` by client; the table lists the busiest of each window, all together first.

    Rows wait here for the end of the window, which is when clients are judged.
    """

    def __init__(self, params: PipelineParams, requests: RequestsStage) -> None:
        self.feature_judges: list[FeatureJudge] = []
        self._requests, self._waiting = requests, WaitingRows()
        self._keys = ClientKeys(params.clients)
        self._targets = TrafficTargets(min(params.window.max_series, MOST_TARGETS))
        self._features = ClientFeatures(params.clients, params.window)
        self._table = ClientTable(params.clients.top_clients)
        self._judges = ClientJudges(params.client_rules, params.clients, params.window.tick_seconds)

    def adder(self, rows: RequestRows, batch: pa.RecordBatch) -> AddRows:
        """What adds parts of a batch that the stage of requests has decoded."""
        client = batch.column("client_ip")
        if client.null_count == len(client):
            return _nothing
        time = times_ns(batch.column("time"))
        whole = RequestPart(rows.window, time, rows.series, rows.status_code, rows.failed, client)
        return lambda part, usable: self._add(whole.take(part), usable)

    def _add(self, part: RequestPart, usable: BoolArray | None) -> list[AlertChange]:
        if usable is not None and not usable.any():
            return []
        self._waiting.add(part if usable is None else part.take(np.flatnonzero(usable)))
        if self._waiting.full:
            self._take_in()
        return []

    def _take_in(self) -> None:
        part = self._waiting.take()
        rows = client_rows(part, self._requests.keys, self._keys, self._targets) if part is not None else None
        if rows is not None:
            self._features.add(rows)

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        self._take_in()
        if not self._features.seen:
            return None, []
        closed = self._features.close(window, end_ns, self._targets.names)
        table = self._table.of(closed)
        excluded, changes = self._judges.tick(closed)
        self._features.learn(closed, excluded)
        return Tick(table, thresholds=self._judges.thresholds), changes

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._judges.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        return self._judges.pass_silence(elapsed_ns, end_ns)

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts; those of clients do not end with one source."""
        return [] if source is not None else self._judges.close(end_ns, outcome)

    def set_threshold(self, alertname: str, threshold: float) -> None:
        """Move the threshold of the rules of this name, if there are any."""
        self._judges.set_threshold(alertname, threshold)

"""The stages that read one recorded table, and how its batches are decoded for them, once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import pyarrow as pa

from aiops_nb.alert.grouping import Grouping
from aiops_nb.core.types import IntArray, Item
from aiops_nb.engine.commands import Start
from aiops_nb.engine.look_ahead import Ahead
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.clients import ClientsStage
from aiops_nb.engine.stages.messages import MessagesStage
from aiops_nb.engine.stages.objectives import ObjectivesStage
from aiops_nb.engine.stages.overall import OverallStage
from aiops_nb.engine.stages.requests import RequestsStage
from aiops_nb.engine.stages.samples import SamplesStage
from aiops_nb.engine.stages.stage import AddRows, Stage
from aiops_nb.features.requests.rows import PHASES, RequestRows
from aiops_nb.rules.no_data import NO_DATA


class StagesOfTable(Protocol):
    """The stages of one recorded table.

    Only one of them may change alerts within the rows, or the order of the changes would depend on how the stream is
    cut.

    Attributes
    ----------
    stages
        In the order in which they close a window: each may read what those before it have closed.
    """

    stages: tuple[Stage, ...]

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> list[AddRows]:
        """Decode a batch once, giving series codes in row order; each result adds parts of it to a stage."""
        ...


FEWEST_WINDOWS = 2
DECODED = (
    "target",
    "origin",
    "status_code",
    "error_type",
    "duration_seconds",
    "certificate_expires",
    *(f"{phase}_seconds" for phase in PHASES),
)


def joined_requests(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """What is decoded of several batches, as one."""
    parts = [batch.select(DECODED) for batch in batches]
    if len(parts) == 1:
        return parts[0]
    return pa.Table.from_batches(parts).unify_dictionaries().combine_chunks().to_batches()[0]


class RequestStages:
    """Requests by target, all together, against objectives, and by client."""

    def __init__(self, params: PipelineParams, observed: ObservedTime, start: Start) -> None:
        self.requests = RequestsStage(params, observed)
        self.clients = ClientsStage(params, self.requests)
        self.overall = OverallStage(params, self.requests, observed)
        self.objectives = ObjectivesStage(params, self.requests, self.overall, start.history)
        self.stages: tuple[Stage, ...] = (self.requests, self.overall, self.objectives, self.clients)
        self._rows_ahead: deque[tuple[RequestRows, bool]] = deque()

    def close_ahead(self, items: Sequence[Item], ahead: Ahead, window: int, tick_ns: int) -> int:
        """Close the windows ahead at once; gives how many of the items may be pushed then, at least one.

        Each stage then gives its windows one by one, as the items are pushed.
        """
        whole = joined_requests(ahead.batches(items)) if ahead.requests else None
        if whole is None:
            return max(len(ahead.ends), 1)
        series, known = self.requests.known_series(whole)
        starts = np.concatenate([[0], np.cumsum([len(one) for one in ahead.windows])])
        if known < len(series):
            ahead.cut(ahead.requests[int(np.searchsorted(starts, known, side="right")) - 1])
        windows = ahead.ends[-1] - window if ahead.ends else 0
        if windows < FEWEST_WINDOWS or not ahead.requests:
            return max(len(ahead.ends), 1)
        count = int(starts[len(ahead.requests)])
        whole, series = whole.slice(0, count), series[:count]
        rows = self.requests.decode_known(whole, np.concatenate(ahead.windows), series)
        parts = [slice(first, last) for first, last in pairwise(starts[: len(ahead.requests) + 1].tolist())]
        sources = [items[place].source for place in ahead.requests]
        closed = self.requests.close_ahead(window, windows, rows, tick_ns, zip(sources, parts, strict=True))
        overall = self.overall.close_ahead(window, closed, tick_ns)
        self.objectives.close_ahead(window, closed, overall, tick_ns)
        bad_before = np.concatenate([[0], np.cumsum(self.requests.are_bad(rows))])
        any_bad = np.diff(bad_before[starts[: len(parts) + 1]]) > 0
        self._rows_ahead.extend(zip(map(rows.take, parts), any_bad.tolist(), strict=True))
        return len(ahead.ends)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> list[AddRows]:
        """Decode a batch once; see `StagesOfTable.decode`."""
        if self._rows_ahead:
            rows, any_bad = self._rows_ahead.popleft()
            return [self.requests.adder_ahead(rows, batch, any_bad), self.clients.adder(rows, batch)]
        rows = self.requests.decode(batch, window)
        return [self.requests.adder(rows, batch), self.clients.adder(rows, batch)]


class SampleStages:
    """Samples by target and metric."""

    def __init__(self, params: PipelineParams, observed: ObservedTime, start: Start) -> None:
        self.samples = SamplesStage(params, observed, start.own_hosts)
        self.stages: tuple[Stage, ...] = (self.samples,)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> list[AddRows]:
        """Decode a batch once; see `StagesOfTable.decode`."""
        return [self.samples.adder(batch, window)]


class MessageStages:
    """Messages of logs by target."""

    def __init__(self, params: PipelineParams) -> None:
        self.messages = MessagesStage(params)
        self.stages: tuple[Stage, ...] = (self.messages,)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> list[AddRows]:
        """Decode a batch once; see `StagesOfTable.decode`."""
        return [self.messages.adder(batch, window)]


def grouping_of(params: PipelineParams, requests: RequestStages, samples: SampleStages) -> Grouping:
    """Grouping by how many targets and hosts these stages have heard of."""
    judged = [NO_DATA, *(rule.alertname for rule in params.rules_by_target)]
    targets, hosts = requests.requests.heard, samples.samples.heard_hosts
    return Grouping(params.grouping, judged, targets, hosts, params.connectivity.targets)

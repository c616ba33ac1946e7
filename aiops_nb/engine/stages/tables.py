"""The stages that read one recorded table, and how its batches are decoded for them, once."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from aiops_nb.alert.grouping import Grouping
from aiops_nb.core.types import IntArray
from aiops_nb.engine.commands import Start
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.clients import ClientsStage
from aiops_nb.engine.stages.objectives import ObjectivesStage
from aiops_nb.engine.stages.overall import OverallStage
from aiops_nb.engine.stages.requests import RequestsStage
from aiops_nb.engine.stages.samples import SamplesStage
from aiops_nb.engine.stages.stage import AddRows, Stage
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


class RequestStages:
    """Requests by target, all together, against objectives, and by client."""

    def __init__(self, params: PipelineParams, observed: ObservedTime, start: Start) -> None:
        self.requests = RequestsStage(params, observed)
        self.clients = ClientsStage(params, self.requests)
        overall = OverallStage(params, self.requests, observed)
        self.objectives = ObjectivesStage(params, self.requests, overall, start.history)
        self.stages: tuple[Stage, ...] = (self.requests, overall, self.objectives, self.clients)

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> list[AddRows]:
        """Decode a batch once; see `StagesOfTable.decode`."""
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


def grouping_of(params: PipelineParams, requests: RequestStages, samples: SampleStages) -> Grouping:
    """Grouping by how many targets and hosts these stages have heard of."""
    judged = [NO_DATA, *(rule.alertname for rule in params.rules_by_target)]
    targets, hosts = requests.requests.heard, samples.samples.heard_hosts
    return Grouping(params.grouping, judged, targets, hosts, params.connectivity.targets)

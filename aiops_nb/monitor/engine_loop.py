"""Batches that wait together travel together."""

from __future__ import annotations

import pyarrow as pa

from aiops_nb.alert.identity import fingerprint
from aiops_nb.core.schemas import TableName, source_of, table_of
from aiops_nb.core.types import AlertChange


def joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Neighbours of one table and source as one batch: equal results by design, a third of the cost a row."""
    groups: list[list[pa.RecordBatch]] = []
    before: tuple[TableName, str] | None = None
    for batch in batches:
        kind = table_of(batch), source_of(batch)
        if kind == before and kind[0] != "control":
            groups[-1].append(batch)
        else:
            groups.append([batch])
        before = kind
    return [group[0] if len(group) == 1 else _concatenated(group) for group in groups]


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def recording_stopped(reason: str, time_ns: int) -> AlertChange:
    """A firing alert; detection goes on.

    Examples
    --------
    >>> recording_stopped("disk full", 0).labels["alertname"]
    'recording_stopped'
    """
    labels = {"alertname": "recording_stopped", "severity": "critical", "target": "recording", "detector": "monitor"}
    return AlertChange(
        time_ns=time_ns,
        state="firing",
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=time_ns,
        starts_at_ns=time_ns,
        summary=reason,
    )

"""The baselines that a continued recording holds: its rows go through the engine before the new run begins."""

from __future__ import annotations

import logging

from aiops_nb.alert.answers import HeldAcknowledgement
from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.look_ahead import grouped
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.engine.silenced import acknowledged_at_end, silences_of
from aiops_nb.record.reader import RecordingReader
from aiops_nb.session.plan import Plan

_log = logging.getLogger(__name__)

LONGEST_NS = 30 * 60 * NS_PER_SECOND
MOST_ROWS = 500_000


def pipeline_of(plan: Plan) -> Pipeline | None:
    """The pipeline as the recording left it that a planned run continues; None where there is none, or it is long.

    All of the recording is replayed, because its replay must reach the same state. Cost: some seconds for half an hour;
    longer recordings, and those of more than 500,000 rows, are left alone, and their baselines are learned again.
    """
    if plan.record is None:
        return None
    try:
        reader = RecordingReader(plan.record)
        bounds, rows = reader.time_range_ns, sum(reader.row_counts.values())
        if bounds is None or bounds[1] - bounds[0] > LONGEST_NS or rows > MOST_ROWS:
            return None
        pipeline = Pipeline(trust=reader.trusted)
        for items in grouped(reader.joined_items()):
            pipeline.push_many(items)
    except RecordingError as problem:
        _log.warning("baselines are learned again: %s", problem)
        return None
    return pipeline if pipeline.params == plan.config.pipeline else None


def recorded_silences(record: str | None) -> tuple[HeldSilence, ...]:
    """The silences that a continued recording holds, however long it is; only its commands are read."""
    if record is None:
        return ()
    try:
        return silences_of(RecordingReader(record).blocks("control"))
    except RecordingError as problem:
        _log.warning("silences are not taken over: %s", problem)
        return ()


def recorded_acknowledgements(record: str | None) -> tuple[HeldAcknowledgement, ...]:
    """The alerts that were acknowledged when the last run of a continued recording stopped, however long it is.

    A run that was killed has no stop, and so none: its alerts may have ended since.
    """
    if record is None:
        return ()
    try:
        return acknowledged_at_end(RecordingReader(record).blocks("control"))
    except RecordingError as problem:
        _log.warning("acknowledgements are not taken over: %s", problem)
        return ()

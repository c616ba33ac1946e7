"""What the objectives of a run that begins take over from an earlier recording."""

from __future__ import annotations

import logging
from pathlib import Path

from aiops_nb.features.requests.objective_history import History, PastAnswers
from aiops_nb.record.reader import RecordingReader
from aiops_nb.session.plan import Plan

_log = logging.getLogger(__name__)


def recalled(plan: Plan, now_ns: int) -> History | None:
    """The history of a planned run up to now; None where no rule judges objectives, or there is none to take.

    Cost: reads the requests of the last three days once.

    Raises
    ------
    RecordingError
        If the configuration names what is not a recording.
    """
    path, pipeline = plan.history, plan.config.pipeline
    if path is None or not any(rule.table == "slo" for rule in pipeline.feature_rules):
        return None
    past = PastAnswers(pipeline.window.objective_targets, now_ns)
    for block in RecordingReader(path).blocks("requests", start_ns=past.start_ns, end_ns=now_ns):
        past.add(block)
    series = past.series()
    if not series:
        _log.info("objectives begin without a history: %s holds no requests of the last three days", path)
        return None
    return History(recording=Path(path).resolve().name, end_ns=now_ns, series=series)

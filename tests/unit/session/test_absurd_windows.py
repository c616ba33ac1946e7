"""A recorded window that no configuration could ask for is one clear error, not a replay without an end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from aiops_nb import open_recording, replay
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.schemas import control_batch
from tests.record_rows import record, samples

DAY_NS = 86_400_000_000_000
ABSURD = [
    {"tick_seconds": 1e-9},
    {"tick_seconds": 1e300},
    {"tick_seconds": 0},
    {"tick_seconds": -1},
    {"gap_ticks": 10**15},
    {"gap_ticks": 0},
    {"span_ticks": 10**9},
    {"lateness_seconds": 1e300},
    {"idle_seconds": 1e300},
    {"ahead_seconds": 1e300},
    {"max_series": 10**15},
    {"horizons_seconds": [1e300]},
]


@pytest.mark.parametrize("window", ABSURD, ids=str)
def test_it_is_refused_at_once(tmp_path: Path, window: dict[str, object]) -> None:
    body = json.dumps({"type": "start", "pipeline": {"window": window}, "sources": ["host"]})
    record(tmp_path, [control_batch("monitor", "command", 0, body), samples(0), samples(30 * DAY_NS)])
    began = time.monotonic()
    with pytest.raises(AiopsError, match=next(iter(window))):
        open_recording(tmp_path).alerts()
    with pytest.raises(AiopsError, match=next(iter(window))):
        replay(tmp_path)
    assert time.monotonic() - began < 30

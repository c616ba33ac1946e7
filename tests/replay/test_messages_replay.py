"""Messages: a replay gives the bytes of the live run, with templates and rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.rules.message.params import MessageRuleParams
from tests.property.digests import StepDigest, digest_of
from tests.property.streams import log_batches
from tests.replay.scripted import ScriptClock, ScriptedCollector

SECONDS = 45
RULES = (
    MessageRuleParams(alertname="new", condition="new_template", settle_seconds=20.0, settle_rows=100),
    MessageRuleParams(alertname="memory", condition="text", pattern="out of memory"),
    MessageRuleParams(alertname="errors", condition="error_ratio", min_rows=5, min_ratio=0.5, span_ticks=5),
)


@pytest.mark.parametrize("seed", range(2))
def test_replay_equals_live(tmp_path: Path, seed: int) -> None:
    """Live, replayed, and replayed with joined batches."""
    scripts = {"log": log_batches(seed, SECONDS)}
    clock = ScriptClock(scripts)
    collectors = [ScriptedCollector(name, script, clock, seed) for name, script in scripts.items()]
    digest = StepDigest()
    run = LiveRun(collectors, Recorder(tmp_path / "r"), PipelineParams(message_rules=RULES), digest.write, clock)
    run.start()
    assert run.wait(60) and not run.problems()
    run.stop()
    live = digest.result()
    assert digest.alert_count > 4
    reader = RecordingReader(tmp_path / "r")
    assert digest_of(reader.items())[0].result() == live
    assert digest_of(reader.joined_items(max_rows=777))[0].result() == live

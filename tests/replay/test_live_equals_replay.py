"""Replay equals live, byte for byte: before and after sealing, over threads, seeds, sources, disorder and gaps."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_nb.core.schemas import SELF_SOURCE
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.property.client_streams import client_batches
from tests.property.digests import StepDigest, digest_of
from tests.property.streams import host_batches, self_batches, web_batches
from tests.replay.scripted import ScriptClock, ScriptedCollector

SECONDS = 80


class UnsealedTap:
    """The recorder, left open at the end of the run, so that it can be read as a dead writer would leave it."""

    def __init__(self, recorder):
        self._recorder = recorder

    def __getattr__(self, name):
        return getattr(self._recorder, name)

    def close(self):
        pass


def scripted_run(seed, recorder, digest):
    scripts = {
        "web1": web_batches(seed, "web1", 6, 40, SECONDS, burst=(55, 70)),
        "web2": web_batches(seed + 1, "web2", 80, 100, SECONDS, gap=(20, 40)),
        "host": host_batches(seed + 2, SECONDS),
        "web": client_batches(seed + 3, SECONDS),
        SELF_SOURCE: self_batches(seed + 4, SECONDS),
    }
    clock = ScriptClock(scripts)
    collectors = [ScriptedCollector(n, script, clock, seed + i) for i, (n, script) in enumerate(scripts.items())]
    return LiveRun(collectors, UnsealedTap(recorder), PipelineParams(), digest.write, clock)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1_000_000))
def test_replay_equals_live(seed):
    with tempfile.TemporaryDirectory() as folder:
        recorder, digest = Recorder(Path(folder) / "recording", segment_rows=3_000), StepDigest()
        run = scripted_run(seed, recorder, digest)
        run.start()
        assert run.wait(60) and not run.problems()
        run.command('{"type": "stop"}')  # after the end: changes nothing
        live = digest.result()
        assert digest.tick_count > 120 and digest.alert_count > 0
        reader = RecordingReader(recorder.path)
        assert digest_of(reader.items())[0].result() == live, "unsealed"
        recorder.seal_pending()
        assert digest_of(reader.items())[0].result() == live, "partly sealed"
        recorder.close()
        run.stop()
        sealed = RecordingReader(recorder.path)
        assert digest_of(sealed.items())[0].result() == live, "sealed"
        assert digest_of(sealed.joined_items(max_rows=777))[0].result() == live, "joined"

"""Items pushed many at once make the steps that they make one by one, to the bit."""

from __future__ import annotations

import random
from itertools import count

import numpy as np
import pytest

from aiops_nb import kernel
from aiops_nb.core.schemas import control_batch, make_batch, with_seq
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.commands import PauseTarget, ResumeTarget, SetThreshold, Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from tests.property.client_streams import client_stream
from tests.property.digests import StepDigest
from tests.property.streams import random_stream

START_NS = 1_780_000_000 * NS_PER_SECOND
SECONDS, TARGETS = 240, 12


class Watched(Pipeline):
    """Counts the windows that were closed ahead."""

    ahead = 0

    def _look_ahead(self, items):
        looked_at = super()._look_ahead(items)
        self.ahead += len(self._requests._ahead)
        return looked_at


def pushed(items, group, params=None):
    """Digest, counters and changes by item of a run; groups of random length up to `group`."""
    rng, pipeline, digest, at, by_item = random.Random(group), Watched(params), StepDigest(), 0, []
    while at < len(items):
        part = items[at : at + rng.randint(1, group)]
        for step in pipeline.push_many(part) if group > 1 else [pipeline.push(part[0])]:
            digest.write(step)
            by_item.append((step.item.seq, len(step.ticks), len(step.changes)))
        at += len(part)
    counters = pipeline.counters
    counted = counters.rows_total, counters.late_total, counters.ahead_total, counters.ticks_total
    return (digest.result(), digest.alert_count, counted, by_item), pipeline.ahead


def orderly_stream(seed, commands=()):
    """As a live run of probes and a host: clock, phases, certificates; incidents, a gap, a late row."""
    rng, seq = np.random.default_rng(seed), count()
    baseline = np.exp(rng.normal(-3, 0.4, TARGETS))
    yield control(next(seq), "monitor", 0, Start(sources=("probes",)))
    for second in range(SECONDS):
        for body in (body for at, body in commands if at == second):
            yield control(next(seq), "user", second, body)
        yield Item(at := next(seq), "control", "clock", with_seq(control_batch("clock", "heartbeat", ns(second)), at))
        if 200 <= second < 206:  # nothing comes
            continue
        known = TARGETS if second > 120 else TARGETS - 2
        for quarter in range(3):
            batch = probes(rng, second, quarter, baseline[:known])
            yield Item(at := next(seq), "requests", "probes", with_seq(batch, at))
        if second % 5 == 0:
            yield Item(at := next(seq), "samples", "host", with_seq(host(rng, second), at))
    yield control(next(seq), "monitor", SECONDS, Stop())


def ns(second):
    return START_NS + round(second * NS_PER_SECOND)


def control(seq, source, second, command):
    body = command if isinstance(command, str) else encode_command(command)
    return Item(seq, "control", source, with_seq(control_batch(source, "command", ns(second), body), seq))


def probes(rng, second, quarter, baseline):
    mine = np.arange(quarter, len(baseline), 3)
    duration = baseline[mine] * rng.lognormal(0, 0.25, len(mine))
    duration = np.where((mine == 4) & (100 <= second < 130), 9 * duration, duration)
    failing = (mine == 1) & (150 <= second < 175) | (rng.random(len(mine)) < 0.005)
    dead = (mine == 7) & (160 <= second < 180)
    moment = ns(second + quarter / 3) + np.sort(rng.integers(0, 10**8, len(mine)))
    if second == 90 and quarter == 1:
        moment[0] -= 5 * NS_PER_SECOND
    nothing = [None] * len(mine)
    return make_batch(
        "requests",
        "probes",
        {
            "time": moment,
            "origin": "probe",
            "target": [f"t{i}" for i in mine],
            "status_code": [None if bad else 503 if wrong else 200 for bad, wrong in zip(dead, failing, strict=True)],
            "error_type": ["connect" if bad else None for bad in dead],
            "duration_seconds": duration,
            "wait_seconds": duration * 0.7 if second > 60 else nothing,
            "certificate_expires": [ns(9e6 + int(i)) for i in mine] if second % 4 else nothing,
        },
    )


def host(rng, second):
    return make_batch(
        "samples",
        "host",
        {
            "time": [ns(second)] * 2,
            "target": ["h"] * 2,
            "metric": ["cpu_ratio", "memory_ratio"],
            "value": rng.random(2),
        },
    )


COMMANDS = (
    (70, SetThreshold(alertname="latency_high", threshold=9.0)),
    (110, PauseTarget(target="t2")),
    (140, ResumeTarget(target="t2")),
)
PARAMS = {
    "default": None,
    "short span": PipelineParams(window=WindowParams(span_ticks=7, objective_targets=("t1",))),
    "half seconds": PipelineParams(window=WindowParams(tick_seconds=0.5, horizons_seconds=(3.0, 40.0))),
    "no horizons": PipelineParams(window=WindowParams(horizons_seconds=(), lateness_seconds=3.0)),
}


@pytest.mark.parametrize("name", PARAMS)
def test_a_recording_pushed_many_at_once(name):
    items = list(orderly_stream(5, COMMANDS))
    one_by_one, _ = pushed(items, 1, PARAMS[name])
    many, ahead = pushed(items, 300, PARAMS[name])
    assert many == one_by_one
    assert one_by_one[1] > 4
    assert ahead > SECONDS / 3 if kernel.compiled is not None else not ahead


@pytest.mark.parametrize(("stream", "seed"), [(random_stream, 3), (client_stream, 4), (client_stream, 7)])
def test_other_streams_pushed_many_at_once(stream, seed):
    items = list(stream(seed, seconds=60))
    assert pushed(items, 100)[0] == pushed(items, 1)[0]


def test_without_the_kernel_every_item_is_pushed_by_itself(monkeypatch):
    monkeypatch.setattr(kernel, "compiled", None)
    items = list(orderly_stream(5))[:300]
    many, ahead = pushed(items, 300)
    assert not ahead
    assert many == pushed(items, 1)[0]


@pytest.mark.parametrize("step_seconds", [1, 40])
def test_one_item_of_many_windows(step_seconds):
    """A frame or a log read at once: cut into pieces inside, to the results of single rows."""
    rng, rows = np.random.default_rng(8), 400
    status = np.where((np.arange(rows) > 300) & (np.arange(rows) < 330), 500, 200)
    columns = {
        "time": START_NS + np.arange(rows) * step_seconds * NS_PER_SECOND // 2,
        "origin": "probe",
        "target": [f"t{i % 2}" for i in range(rows)],
        "status_code": status,
        "duration_seconds": rng.lognormal(-3, 0.3, rows),
    }
    batch = with_seq(make_batch("requests", "frame", columns), 1)
    params = PipelineParams(window=WindowParams(tick_seconds=float(step_seconds)))
    single = [Item(1, "requests", "frame", batch.slice(at, 1)) for at in range(rows)]
    digest, pipeline = StepDigest(), Watched(params)
    for part in (batch.slice(0, 9), batch.slice(9)):
        digest.write(pipeline.push(Item(1, "requests", "frame", part)))
    (one_by_one, changes, _, _), _ = pushed(single, 1, params)
    assert (digest.result(), digest.alert_count) == (one_by_one, changes)
    assert changes
    assert pipeline.ahead > 150 if kernel.compiled is not None else not pipeline.ahead

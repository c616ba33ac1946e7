"""Rules on clients tuned on a recorded stream with labelled floods, and moved while a stream runs."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from aiops_nb import from_synthetic, open_recording, replay
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.commands import Start, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.tune import choose, read_labels, save_config, sweep, with_threshold
from aiops_nb.tune.sweep import alerts_by_threshold
from tests.property.digests import StepDigest, digest_of
from tests.property.streams import START_NS

FAULTS = [
    Fault(kind="single_ip_flood", start_seconds=200, length_seconds=40),
    Fault(kind="endpoint_attack", start_seconds=320, length_seconds=40, target="service-0"),
]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("floods") / "rec"
    from_synthetic(420, record=path, seed=3, targets=3, hosts=0, faults=FAULTS)
    return open_recording(path)


def of_rule(alerts, alertname):
    return alerts[alerts["alertname"] == alertname].reset_index(drop=True)


@pytest.mark.parametrize("alertname", ["client_flood", "endpoint_attack", "client_refused"])
def test_each_threshold_gives_what_a_replay_with_it_gives(recording, alertname):
    tried = {"client_refused": [0.2, 4.0]}.get(alertname, [2.0, 40.0])
    swept = alerts_by_threshold(recording, recording.config, tried, alertname)
    for threshold in tried:
        alone = replay(recording, config=with_threshold(recording.config, threshold, alertname)).alerts()
        pd.testing.assert_frame_equal(swept[threshold], of_rule(alone, alertname))


def test_a_flood_is_found_by_a_threshold_that_can_be_chosen_and_saved(recording, tmp_path):
    labels = read_labels(recording)
    table = sweep(recording, labels, [2.0, 5.0, 1000.0], alertname="client_flood", kinds=["single_ip_flood"])
    assert table["faults_found"].tolist() == [1, 1, 0, 0]
    assert table["faults_missed"].tolist() == [0, 0, 1, 1]
    assert 0 < table["median_delay_seconds"][0] <= table["median_delay_seconds"][1] < 40
    saved = save_config(with_threshold(recording.config, choose(table), "client_flood"), tmp_path / "tuned.yaml")
    found = of_rule(replay(recording, config=saved).alerts(), "client_flood")
    assert len(found) and found["starts_at"].notna().all()


def test_without_thresholds_those_around_where_it_stands_are_tried(recording):
    table = sweep(recording, read_labels(recording), alertname="endpoint_attack", kinds=["endpoint_attack"])
    assert table["threshold"].tolist() == [1.25, 2.5, 3.75, 5.0, 7.5, 10.0, 15.0, 20.0, float("inf")]
    assert table["faults_found"].iloc[3] == 1


def test_a_rule_that_cannot_be_tuned_is_one_clear_error(recording):
    with pytest.raises(ConfigError, match=r"expected a rule with a threshold that can be tuned, one of .*client_flood"):
        sweep(recording, read_labels(recording), [5.0], alertname="late_rows")


def flooded(seconds=120):
    """(second, batch) pairs: visitors who come and go, and from second 75 on one client's flood."""
    for second in range(seconds):
        names = [f"10.{second // 8}.{i}.1" for i in range(20)] + ["203.0.113.7"] * 60 * (second >= 75)
        times = [START_NS + second * NS_PER_SECOND + i * NS_PER_SECOND // len(names) for i in range(len(names))]
        targets = [f"/page{i % 5}" for i in range(len(names))]
        columns = {"client_ip": names, "target": targets, "origin": "traffic", "status_code": [200] * len(names)}
        yield float(second), make_batch("requests", "web", {"time": times, **columns})


class Told(StepDigest):
    """The digest, and what fired."""

    def __init__(self):
        super().__init__()
        self.fired = []

    def write(self, step):
        super().write(step)
        self.fired += [change.labels["alertname"] for change in step.changes if change.state == "firing"]


def moved_to(threshold, alertname="client_flood"):
    return json.dumps({"type": "set_threshold", "alertname": alertname, "threshold": threshold})


def live_and_replayed(moves, path):
    """What was made of the stream as it was recorded, with somebody's moves in it, and what a replay makes of it."""
    recorder, pipeline, told = Recorder(path), Pipeline(), Told()
    params = PipelineParams(clients=ClientParams(warmup_seconds=30.0))
    start = encode_command(Start(pipeline=params, sources=("web",)))
    told.write(pipeline.push(recorder.write(control_batch("monitor", "command", START_NS, start))))
    for second, batch in flooded():
        if second in moves:
            moved = control_batch("user", "command", START_NS, moves[second])
            told.write(pipeline.push(recorder.write(moved)))
        told.write(pipeline.push(recorder.write(batch)))
    recorder.close()
    return told, digest_of(RecordingReader(path).items())[0]


@pytest.mark.parametrize(
    ("moves", "fires"),
    [
        pytest.param({}, True, id="as it stands"),
        pytest.param({40.0: moved_to(1000.0)}, False, id="moved"),
        pytest.param({40.0: moved_to(1000.0), 50.0: moved_to(5.0)}, True, id="moved and undone"),
        pytest.param({40.0: moved_to(1000.0), 50.0: moved_to(0.5)}, False, id="out of range: left where it was"),
        pytest.param({40.0: moved_to(1000.0, "client_refused")}, True, id="another rule"),
    ],
)
def test_a_moved_threshold_takes_effect_and_a_replay_gives_the_same_bytes(tmp_path, moves, fires):
    live, replayed = live_and_replayed(moves, tmp_path / "rec")
    assert ("client_flood" in live.fired) is fires
    assert live.tick_count > 300
    assert replayed.result() == live.result()


def test_a_threshold_that_was_moved_and_undone_leaves_no_trace(tmp_path):
    plain, _ = live_and_replayed({}, tmp_path / "plain")
    undone, _ = live_and_replayed({40.0: moved_to(1000.0), 50.0: moved_to(5.0)}, tmp_path / "undone")
    assert undone.result() == plain.result()

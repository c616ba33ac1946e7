"""A rule on a feature that there is not: refused by every door, and left out of a replay in plain sight."""

from __future__ import annotations

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.commands import Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.record.recorder import Recorder
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.tune import sweep
from tests.property.streams import START_NS

GONE = FeatureRuleParams(alertname="old", feature="error_ration")
KEPT = FeatureRuleParams(alertname="new", feature="error_ratio")
PARAMS = PipelineParams(feature_rules=(KEPT, GONE))


def recorded(path):
    """A recording whose recorded rules name a feature that there is not."""
    times = [START_NS + second * NS_PER_SECOND for second in range(5)]
    with Recorder(path) as recorder:
        for command in (Start(pipeline=PARAMS), Stop()):
            recorder.write(control_batch("monitor", "command", START_NS, encode_command(command)))
            if isinstance(command, Start):
                columns = {"origin": "probe", "target": ["a"] * 5, "status_code": [503] * 5}
                recorder.write(make_batch("requests", "x", {"time": times, **columns}))
    return path


DOORS = {
    "watch": lambda path: aiops_nb.watch("http://127.0.0.1:9/", config=PARAMS),
    "from_frame": lambda path: aiops_nb.from_frame(
        pd.DataFrame({"when": ["2026-05-01"], "code": [200]}),
        time="when",
        status_code="code",
        constants={"target": "a"},
        config=PARAMS,
    ),
    "from_synthetic": lambda path: aiops_nb.from_synthetic(5, config=PARAMS),
    "replay": lambda path: aiops_nb.replay(recorded(path), config=PARAMS),
    "sweep": lambda path: sweep(aiops_nb.open_recording(recorded(path)), config=aiops_nb.Config(pipeline=PARAMS)),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_refuses_what_was_built_in_python(door, tmp_path):
    expected = (
        r"^pipeline\.feature_rules\[1\]\.feature: expected a feature of requests, got 'error_ration'; did you mean"
    )
    with pytest.raises(ConfigError, match=expected):
        DOORS[door](tmp_path)


def test_a_table_that_there_is_not_is_refused():
    rule = FeatureRuleParams(alertname="a", feature="error_ratio", table="request")
    with pytest.raises(ConfigError, match=r"feature_rules\[0\]\.table: .* got 'request'; did you mean requests"):
        aiops_nb.from_synthetic(5, config=PipelineParams(feature_rules=(rule,)))


@pytest.mark.parametrize("speed", [None, 1000.0])
def test_a_recorded_rule_that_cannot_be_judged_is_left_out_and_told(speed, tmp_path):
    monitor = aiops_nb.replay(recorded(tmp_path), speed=speed)
    assert monitor.wait(30)
    monitor.stop()
    assert monitor.warnings() == ["rule old: not judged: there is no feature 'error_ration' of requests"]
    assert set(monitor.scores()["alertname"]) == {"new"}


def test_frames_of_such_a_recording_are_made_with_a_warning(tmp_path, caplog):
    recording = aiops_nb.open_recording(recorded(tmp_path))
    assert set(recording.scores()["alertname"]) == {"new"} and len(recording.features())
    assert [record.getMessage() for record in caplog.records] == [
        "rule old: not judged: there is no feature 'error_ration' of requests"
    ]

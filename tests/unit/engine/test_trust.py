"""A stranger's recording runs no code of other packages, whichever way it names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import Item
from aiops_nb.detect.estimators.params import EstimatorParams
from aiops_nb.engine.commands import Start, decode_command, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.engine.trust import foreign_detectors, require_trust
from aiops_nb.rules.feature.params import FeatureRuleParams
from tests.plug_ins import installed

FOREST = EstimatorParams(estimator="sklearn.ensemble.IsolationForest")
RULE = FeatureRuleParams(alertname="odd", feature="rate_hz", threshold=60.0, detector=FOREST)
NAMED = PipelineParams(feature_rules=(*PipelineParams().feature_rules, RULE))
PLACE = f"pipeline.feature_rules[{len(PipelineParams().feature_rules)}].detector"


@pytest.mark.parametrize("pipeline", [NAMED, msgspec.to_builtins(NAMED)])
def test_an_estimator_needs_trust(pipeline: Any) -> None:
    assert foreign_detectors(pipeline) == {PLACE: "sklearn.ensemble.IsolationForest"}
    require_trust(pipeline, trust=True)
    with pytest.raises(ConfigError, match="open it with trust=True") as caught:
        require_trust(pipeline, trust=False)
    assert str(caught.value).startswith(f"{PLACE}: the recording names code of another package")


@pytest.mark.parametrize(
    "pipeline", [None, {}, {"feature_rules": None}, {"feature_rules": "x"}, {"feature_rules": [1, {"detector": 2}]}]
)
def test_damaged_contents_name_nothing(pipeline: Any) -> None:
    require_trust(pipeline, trust=False)


def test_our_own_detectors_need_none() -> None:
    require_trust(PipelineParams(), trust=False)
    require_trust(msgspec.to_builtins(PipelineParams()), trust=False)


def test_a_recorded_start_is_refused_too() -> None:
    body = encode_command(Start(pipeline=NAMED))
    assert decode_command(body) == Start(pipeline=NAMED)
    with pytest.raises(ConfigError, match="open it with trust=True"):
        decode_command(body, trust=False)
    item = Item(0, "control", "aiops_nb", control_batch("aiops_nb", "command", 0, body))
    with pytest.raises(ConfigError, match="open it with trust=True"):
        Pipeline(trust=False).push(item)
    Pipeline(trust=True).push(item)


def test_no_plug_in_is_loaded_for_a_stranger(tmp_path: Path) -> None:
    points = "[aiops_nb.detectors]\nsly = sly_one:SPEC\n"
    source = f"open({str(tmp_path / 'loaded')!r}, 'w').close()\nraise ValueError"
    rule = {"alertname": "a", "feature": "f", "detector": {"type": "sly"}}
    body = json.dumps({"type": "start", "pipeline": {"feature_rules": [rule]}})
    with installed(tmp_path, "sly", points, {"sly_one.py": source}):
        with pytest.raises(ConfigError, match="'sly'"):
            decode_command(body, trust=False)
        assert not (tmp_path / "loaded").exists()

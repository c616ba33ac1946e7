"""The recipe "a new detector" of CONTRIBUTING, followed: what it makes passes the contract and runs from YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from aiops_nb import detectors, from_synthetic, open_recording, replay, score_series
from aiops_nb.collect.synthetic import Fault
from aiops_nb.config import dump_config, parse_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import plugged_in
from aiops_nb.detect.spec import DetectorSpec
from aiops_nb.testing.detectors import Build, DetectorContract, DetectorSpecContract
from tests.plug_ins import installed

RECIPE = Path(__file__).with_name("recipe")
CONFIG = """
pipeline:
  feature_rules:
  - alertname: latency_jump
    feature: duration_p50_seconds
    threshold: 1.0
    hold: {for: 0s}
    detector: {type: jump, max_jump: 0.0005}
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DetectorSpec]:
    """Found by its entry point, as an installed package's."""
    modules = {"jump.py": (RECIPE / "jump.py").read_text(encoding="utf-8")}
    points = (RECIPE / "jump_entry_points.txt").read_text(encoding="utf-8")
    with installed(tmp_path_factory.mktemp("site"), "jump", points, modules):
        (found,) = (one for one in plugged_in() if one.package == "jump")
        assert found.spec is not None, found.problem
        yield found.spec


@pytest.fixture
def params(spec: DetectorSpec) -> msgspec.Struct:
    make: Any = spec.params
    made: msgspec.Struct = make(max_jump=2.0)
    return made


class TestTheDetector(DetectorContract):
    @pytest.fixture
    def build(self, spec: DetectorSpec) -> Build:
        return lambda: spec.build(spec.params(), ("x",), 1.0)


class TestTheSpec(DetectorSpecContract):
    pass


def test_it_is_in_the_list(spec: DetectorSpec) -> None:
    row = detectors().loc["jump"]
    assert (row["purpose"], row["package"], row["problem"]) == (spec.purpose, "jump", "")
    assert (row["parameters"], row["threshold_unit"]) == ("max_jump=1.0", "multiples")


def test_a_series_is_scored_by_it(spec: DetectorSpec) -> None:
    values = pd.Series([1.0, 1.0, 9.0], pd.date_range("2026-01-01", periods=3, freq="1min"))
    assert score_series(values, spec.build(spec.params(), ("value",), 5.0)).is_anomaly.tolist() == [False, False, True]


def test_a_configuration_names_it_and_it_survives_recording_and_replay(spec: DetectorSpec, tmp_path: Path) -> None:
    config = parse_config(CONFIG)
    rule = config.pipeline.feature_rules[0]
    assert (type(rule.detector), rule.detector.max_jump) == (spec.params, 0.0005)  # type: ignore[union-attr]
    assert parse_config(dump_config(config)) == config
    shift = Fault(kind="latency_shift", start_seconds=20, length_seconds=10)
    live = from_synthetic(40, record=tmp_path / "r", config=config, seed=1, targets=1, faults=[shift]).alerts()
    assert "latency_jump" in live["alertname"].tolist()
    trusted = open_recording(tmp_path / "r", trust=True)
    assert trusted.config.pipeline == config.pipeline
    with pytest.raises(ConfigError, match=r"code of another package, 'jump'; .*trust=True"):
        replay(tmp_path / "r").alerts()
    with pytest.raises(ConfigError, match="code of another package, 'jump'"):
        _ = open_recording(tmp_path / "r").config
    with replay(trusted, speed=None) as monitor:
        monitor.wait()
        pd.testing.assert_frame_equal(monitor.alerts(), live)


@pytest.mark.parametrize(
    ("detector", "told"),
    [
        ("{type: jump, max_jump: soon}", r"c\.yaml:4: .*detector\.max_jump: expected a number"),
        ("{type: jump, max_jum: 1}", r"c\.yaml:4: .*detector\.max_jum: expected a known key"),
        ("{type: jumps}", r"c\.yaml:4: .*detector\.type: expected a known type"),
    ],
)
def test_a_mistake_in_its_parameters_has_its_place(spec: DetectorSpec, detector: str, told: str) -> None:
    text = f"pipeline:\n  feature_rules:\n  - alertname: a\n    detector: {detector}\n    feature: rate_hz\n"
    with pytest.raises(ConfigError, match=told):
        parse_config(text, "c.yaml")


def test_a_rate_of_false_alarms_is_refused_for_it(spec: DetectorSpec) -> None:
    from aiops_nb.config.load import checked_config

    text = CONFIG.replace("threshold: 1.0", "false_alarms_per_day: 1")
    with pytest.raises(ConfigError, match="scores of jump have no calibrated false-alarm rate"):
        checked_config(parse_config(text))


def test_the_recipe_has_at_most_eight_steps() -> None:
    text = (RECIPE.parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "recipe/jump.py" in text
    recipe = text.partition("## A new detector")[2].partition("\n## ")[0]
    steps = [line for line in recipe.splitlines() if line[:1].isdigit()]
    assert 3 <= len(steps) <= 8

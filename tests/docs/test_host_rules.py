"""Each rule on a host has its page, with its picture, its defaults, and an example that can be used."""

from __future__ import annotations

import pytest

from aiops_nb.config import parse_config
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.rules.defaults.heartbeat import HEARTBEAT_MISSED
from aiops_nb.rules.defaults.metrics import SCRAPE_RULES
from benchmarks.pictures import host
from benchmarks.pictures.scene import draw
from tests.paths import ROOT

DOCS = ROOT / "docs" / "reference"


def _is_of_hosts(rule):
    """Heartbeats are samples too, but of jobs; and so is what is scraped."""
    return rule.table == "samples" and rule not in (HEARTBEAT_MISSED, *SCRAPE_RULES)


RULES = {rule.alertname: rule for rule in PipelineParams().feature_rules if _is_of_hosts(rule)}


def page_of(name):
    return (DOCS / "rules" / f"{name}.md").read_text(encoding="utf-8")


def numbers_of(detector):
    """What must stand on the page of a detector."""
    if isinstance(detector, LevelParams):
        return [f"`level`, `limit` {detector.limit:.10g}"]
    if isinstance(detector, CeilingParams):
        return [f"`ceiling`, `min_deviation` {detector.min_deviation:g}"]
    if isinstance(detector, SilenceParams):
        return [f"`silence`, `min_silent_seconds` {detector.min_silent_seconds:g}"]
    assert isinstance(detector, GrowthParams)
    windows = ", ".join(f"{seconds:g}" for seconds in detector.windows_seconds)
    return [f"`windows_seconds` {windows}, `reach` {detector.reach:g}, `limit` {detector.limit:g}"]


@pytest.mark.parametrize("name", RULES)
def test_a_page_tells_the_defaults(name):
    page, rule = page_of(name), RULES[name]
    hold = f"| for, keep firing for | {rule.hold.for_seconds:g} s, {rule.hold.keep_firing_for_seconds:g} s |"
    median = [f"median of {step.window_values} values" for step in rule.preprocess]
    told = [f"| severity | {rule.severity} |", hold, f"`{rule.metrics[0]}`", *median, *numbers_of(rule.detector)]
    assert [one for one in told if one not in page] == []


@pytest.mark.parametrize("name", RULES)
def test_a_page_is_linked_and_has_its_picture(name):
    assert "![" in page_of(name) and f"](../../images/rules/{name}.svg)" in page_of(name)
    assert (ROOT / "docs" / "images" / "rules" / f"{name}.svg").exists()
    assert f"](rules/{name}.md)" in (DOCS / "alerts.md").read_text(encoding="utf-8")
    assert f"](rules/{name}.md)" in (DOCS / "host.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RULES)
def test_the_example_is_a_config_of_this_rule(name):
    (example,) = [part.split("```")[0] for part in page_of(name).split("```yaml\n")[1:]]
    rules = parse_config(example).pipeline.feature_rules
    assert rules[0].alertname == name and rules[0] != RULES[name]


@pytest.mark.parametrize("scene", host.SCENES, ids=lambda scene: scene.name)
def test_a_page_quotes_what_its_picture_says(scene, tmp_path):
    told = next(change.summary for change in draw(scene, tmp_path) if change.state == "firing")
    assert f"`{told}`" in page_of(scene.name)


def test_each_rule_has_a_scene():
    assert {scene.name for scene in host.SCENES} == set(RULES)

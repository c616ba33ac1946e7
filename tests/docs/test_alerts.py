"""The page on alerts says what the defaults are."""

from __future__ import annotations

import pytest

from aiops_nb.alert.grouping import GroupingParams
from aiops_nb.alert.inhibition import CONNECTIVITY_ALERT
from aiops_nb.config import parse_config
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.engine_loop import recording_stopped
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.evaluation_errors import RULE_ERROR, SOURCE_ERROR
from aiops_nb.rules.no_data import NO_DATA
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "alerts.md").read_text(encoding="utf-8")
DEFAULT_RULES = PAGE.partition("## Default rules")[2].partition("Available but disabled")[0]
RULES = {line.split("`")[1]: line for line in DEFAULT_RULES.splitlines() if line.startswith("| `")}
DEFAULTS = PipelineParams()


@pytest.mark.parametrize(
    "rule",
    DEFAULTS.all_rules,
    ids=lambda rule: rule.alertname,
)
def test_a_default_rule_stands_on_the_page(rule):
    assert f"| {rule.severity} |" in RULES.pop(rule.alertname)


def test_every_ready_rule_is_named():
    assert all(f"`{name}`" in PAGE for name in AVAILABLE_RULES)


def test_the_alerts_without_a_condition_have_the_severity_of_the_page():
    severities = {NO_DATA: DEFAULTS.no_data.severity, SOURCE_ERROR: DEFAULTS.errors.severity}
    assert all(f"| {severity} |" in RULES[name] for name, severity in severities.items())


def test_the_page_knows_no_rule_that_does_not_exist():
    known = {rule.alertname for rule in DEFAULTS.all_rules}
    assert set(RULES) <= known | {
        recording_stopped("", 0).labels["alertname"],
        CONNECTIVITY_ALERT,
        NO_DATA,
        SOURCE_ERROR,
        RULE_ERROR,
    }


def test_the_numbers_on_the_page_are_the_defaults():
    assert {rule.for_rows for rule in DEFAULTS.row_rules} == {3} and "3 consecutive responses" in PAGE
    assert {rule.keep_firing_for_seconds for rule in DEFAULTS.row_rules} == {10.0}
    assert {rule.hold.for_seconds for rule in DEFAULTS.feature_rules[:2]} == {3.0} and "band for 3 s" in PAGE
    detector = DEFAULTS.feature_rules[0].detector
    assert f"after {detector.warmup_ticks} windows" in PAGE
    assert f"after {detector.relearn_ticks} consecutive anomalous windows" in PAGE
    assert DEFAULTS.window.span_ticks == 60 and "the last 60 s" in PAGE


def test_the_examples_are_configs():
    examples = [part.split("```")[0] for part in PAGE.split("```yaml\n")[1:]]
    configs = [parse_config(example) for example in examples]
    config, other, level, inhibiting, many, connected, maintenance, parents, silent, rising, by_value = configs
    assert many.pipeline.grouping == GroupingParams(min_targets=5, min_ratio=0.8)
    assert inhibiting.pipeline.inhibit_rules[0] in DEFAULTS.inhibit_rules and len(connected.connectivity) == 2
    assert maintenance.pipeline.maintenance and rising.pipeline.escalations
    assert (silent.pipeline.no_data, silent.pipeline.errors) == (DEFAULTS.no_data, DEFAULTS.errors)
    assert by_value.pipeline.feature_rules[0].severities == {"error": 0.2, "critical": 0.5}
    assert [probe.depends_on for probe in parents.probes] == [(), ("db",)]
    assert level.pipeline.feature_rules[0].detector == LevelParams(limit=0.9)
    assert [type(rule.detector).__name__ for rule in other.pipeline.feature_rules] == ["FaultsParams", "DefaultParams"]
    assert config.pipeline.feature_rules[0].threshold == 8.0 and config.pipeline.row_rules[1].for_rows == 1

"""Choosing a threshold and saving it."""

import math

import pandas as pd
import pytest

from aiops_nb.config import Config, load_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.tune import choose, save_config, threshold_of, with_threshold
from aiops_nb.tune.sweep import baseline_thresholds


def table(*rows):
    return pd.DataFrame(rows, columns=["threshold", "faults_found", "false_alarms_per_day"], dtype=float)


@pytest.mark.parametrize(
    ("rows", "budget", "chosen"),
    [
        pytest.param([(3, 5, 9), (6, 4, 0), (math.inf, 0, 0)], math.inf, 3, id="most found without a budget"),
        pytest.param([(3, 5, 9), (6, 4, 0), (math.inf, 0, 0)], 1, 6, id="most found within the budget"),
        pytest.param([(3, 4, 9), (6, 4, 1), (9, 4, 2)], math.inf, 6, id="fewest false alarms of the equal"),
        pytest.param([(3, 4, 0), (4, 4, 0), (5, 4, 0), (9, 3, 0)], 0, 4, id="the middle of a plateau"),
        pytest.param([(3, 5, 9), (6, 4, 7), (9, 4, 7)], 1, 9, id="none within the budget: the cheapest"),
        pytest.param([(3, 0, 0), (math.inf, 0, 0)], 0, 3, id="silence is never chosen"),
    ],
)
def test_the_choice_is_as_stated(rows, budget, chosen):
    assert choose(table(*rows), max_false_alarms_per_day=budget) == chosen


def test_nothing_tried_is_an_error():
    with pytest.raises(ConfigError, match="table: expected at least one threshold"):
        choose(table((math.inf, 0, 0)))


def test_a_saved_config_comes_back_the_same(tmp_path):
    config = with_threshold(Config(host_metrics=False), 11.0, "error_ratio_anomaly")
    assert load_config(save_config(config, tmp_path / "new" / "tuned.yaml")) == config
    assert not config.host_metrics


def test_all_rules_that_count_deviations_change_where_none_is_named():
    changed = with_threshold(Config(), 12.0).pipeline.feature_rules
    rules = [rule for rule in changed if isinstance(rule.detector, RobustZParams)]
    assert [rule.threshold for rule in changed if rule.alertname == "cpu_saturation"] == [1.0]
    assert {(rule.threshold, rule.resolves_at(rule.threshold)) for rule in rules} == {(12.0, 8.0)}


PARAMS = Config().pipeline
RULES = ", ".join(rule.alertname for rule in (*PARAMS.feature_rules, *PARAMS.client_rules))


@pytest.mark.parametrize(
    ("alertname", "name"),
    [
        ("client_flood", "min_times_baseline"),
        ("endpoint_attack", "min_times_baseline"),
        ("client_burst", "max_variation_ratio"),
        ("client_refused", "min_refused_hz"),
        ("distributed_flood", "min_times_baseline"),
    ],
)
def test_a_rule_on_clients_changes_alone_and_by_its_own_number(tmp_path, alertname, name):
    config = with_threshold(Config(), 7.5, alertname)
    assert load_config(save_config(config, tmp_path / "tuned.yaml")) == config
    assert config.pipeline.feature_rules == PARAMS.feature_rules
    assert threshold_of(config, alertname) == 7.5
    changed = [rule for rule in config.pipeline.client_rules if rule not in PARAMS.client_rules]
    assert [(rule.alertname, getattr(rule, name)) for rule in changed] == [(alertname, 7.5)]


@pytest.mark.parametrize("rule", PARAMS.client_rules, ids=lambda rule: rule.alertname)
def test_what_is_tried_by_default_may_be_set(tmp_path, rule):
    tried = baseline_thresholds(PARAMS, rule.alertname)
    assert len(tried) > 4
    for threshold in tried:
        changed = with_threshold(Config(), threshold, rule.alertname)
        assert load_config(save_config(changed, tmp_path / "tuned.yaml")) == changed


@pytest.mark.parametrize(
    ("threshold", "alertname", "message"),
    [
        (0.0, None, "threshold: expected a number > 0, got 0.0"),
        (math.inf, None, "threshold: expected a number > 0, got inf"),
        (5.0, "fire", f"alertname: expected one of {RULES}, got 'fire'"),
        (
            5.0,
            "late_rows",
            f"alertname: expected a rule with a threshold that can be tuned, one of {RULES}, got 'late_rows'",
        ),
        (0.5, "client_flood", "threshold: expected min_times_baseline of client_flood, a number >= 1, got 0.5"),
        (0.0, "client_refused", "threshold: expected min_refused_hz of client_refused, a number > 0, got 0.0"),
        (math.nan, "client_burst", "threshold: expected max_variation_ratio of client_burst, a number > 0, got nan"),
    ],
)
def test_a_wrong_setting_is_named(threshold, alertname, message):
    with pytest.raises(ConfigError) as caught:
        with_threshold(Config(), threshold, alertname)
    assert str(caught.value) == message


def test_a_config_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="config: expected a file that can be written"):
        save_config(Config(), tmp_path / "file" / "tuned.yaml")

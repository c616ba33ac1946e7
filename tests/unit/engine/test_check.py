"""What a config says that can be built and would still be of no use."""

from __future__ import annotations

import pytest

from aiops_nb.config import dump_config, parse_config
from aiops_nb.config.load import checked_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.kernels.default import DefaultParams
from aiops_nb.detect.kernels.faults import FaultsParams
from aiops_nb.detect.registry import threshold_for


def config(detector: dict[str, object], **threshold: float) -> dict[str, object]:
    rule = {"alertname": "slow", "feature": "duration_mean_seconds", "detector": detector, **threshold}
    return {"pipeline": {"feature_rules": [rule]}}


@pytest.mark.parametrize("threshold", [{}, {"threshold": 6.0}, {"threshold": 100.0}, {"threshold": 150.0}])
@pytest.mark.parametrize(
    ("detector", "usual"),
    [
        ({"type": "faults"}, threshold_for(FaultsParams(), 0.5, 1.0)),
        ({"type": "default"}, threshold_for(DefaultParams(), 0.5, 1.0)),
        ({"type": "isolation_forest"}, 60),
        ({"type": "estimator", "estimator": "sklearn.svm.OneClassSVM"}, 60),
    ],
)
def test_a_score_of_0_to_100_needs_a_threshold_that_means_something(
    detector: dict[str, object], usual: float, threshold: dict[str, float]
) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_config(config(detector, **threshold))
    assert str(caught.value) == (
        f"config: pipeline.feature_rules[0].threshold: expected a score below 100 at which {detector['type']} fires, "
        f"such as {usual:.0f}, got {threshold.get('threshold', 6.0)}"
    )


def test_a_threshold_of_its_kind_is_taken() -> None:
    assert checked_config(config({"type": "faults"}, threshold=50.0)).pipeline.feature_rules[0].threshold == 50.0
    assert checked_config(config({"type": "robust_z"})).pipeline.feature_rules[0].threshold == 6.0
    assert checked_config(config({"type": "level", "limit": 2.0}, threshold=150.0)).pipeline.feature_rules


def test_a_rate_of_false_alarms_stands_in_for_a_threshold() -> None:
    loaded = checked_config(config({"type": "faults"}, false_alarms_per_day=0.1))
    rule = loaded.pipeline.feature_rules[0]
    assert rule.threshold == pytest.approx(threshold_for(FaultsParams(), 0.1, 1.0), abs=0.01)
    assert rule.threshold > threshold_for(FaultsParams(), 0.5, 1.0)
    assert checked_config(parse_config(dump_config(loaded))) == loaded


def test_the_rate_counts_windows_of_their_length() -> None:
    slow = config({"type": "default"}, false_alarms_per_day=0.5)
    slow["pipeline"]["window"] = {"tick_seconds": 60.0}  # type: ignore[index]
    assert checked_config(slow).pipeline.feature_rules[0].threshold == pytest.approx(
        threshold_for(DefaultParams(), 0.5, 60.0), abs=0.01
    )


@pytest.mark.parametrize(
    ("detector", "more", "told"),
    [
        ({"type": "faults"}, {"threshold": 50.0}, "expected either this or a threshold (50), got 0.5"),
        ({"type": "robust_z"}, {}, "scores of robust_z have no calibrated false-alarm rate; set `threshold`"),
        ({"type": "isolation_forest"}, {}, "scores of isolation_forest have no calibrated"),
    ],
)
def test_a_rate_that_cannot_be_a_threshold_is_refused(
    detector: dict[str, object], more: dict[str, float], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_config(config(detector, false_alarms_per_day=0.5, **more))
    assert f"feature_rules[0].false_alarms_per_day: {told}" in str(caught.value)

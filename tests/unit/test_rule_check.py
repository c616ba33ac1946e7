"""What a config says that can be built and would still be of no use."""

from __future__ import annotations

import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.faults import FaultsParams
from aiops_nb.detect.registry import threshold_for
from aiops_nb.detect.unusual import UnusualParams
from aiops_nb.rule_check import checked_config


def config(detector: dict[str, object], **threshold: float) -> dict[str, object]:
    rule = {"alertname": "slow", "feature": "duration_mean_seconds", "detector": detector, **threshold}
    return {"pipeline": {"feature_rules": [rule]}}


@pytest.mark.parametrize("threshold", [{}, {"threshold": 6.0}, {"threshold": 100.0}, {"threshold": 150.0}])
@pytest.mark.parametrize(
    ("detector", "usual"),
    [
        ({"type": "faults"}, threshold_for(FaultsParams(), 0.5, 1.0)),
        ({"type": "default"}, threshold_for(UnusualParams(), 0.5, 1.0)),
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

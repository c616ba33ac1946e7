"""More, fewer or no requests of others. Never of our own probes, whose rate is only our own pace."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import FeatureTableName
from aiops_nb.detect.limits.robust_z import Direction, RobustZParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.rules.feature.params import FeatureRuleParams

TRAFFIC: Origin = "traffic"
SUSTAINED = HoldParams(for_seconds=10.0, keep_firing_for_seconds=30.0)


def _rate_rule(alertname: str, table: FeatureTableName, direction: Direction, threshold: float) -> FeatureRuleParams:
    """A deviation is a tenth of the baseline rate, or what the counts of a minute vary by chance at a few a minute."""
    return FeatureRuleParams(
        alertname=alertname,
        table=table,
        feature="rate_hz",
        origin=TRAFFIC,
        threshold=threshold,
        hold=SUSTAINED,
        detector=RobustZParams(
            direction=direction, warmup_ticks=120, learning_rate=0.005, min_deviation=0.1, min_deviation_ratio=0.1
        ),
    )


def _silence_rule(alertname: str, table: FeatureTableName) -> FeatureRuleParams:
    return FeatureRuleParams(
        alertname=alertname,
        table=table,
        feature="silent_seconds",
        origin=TRAFFIC,
        severity="error",
        threshold=1.0,
        hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=10.0),
        detector=SilenceParams(),
    )


TRAFFIC_RULES = (
    _silence_rule("traffic_silence", "overall"),
    _rate_rule("traffic_surge", "overall", "above", threshold=10.0),
    _rate_rule("traffic_drop", "overall", "below", threshold=6.0),
)
READY_TRAFFIC_RULES = (
    _silence_rule("endpoint_silence", "requests"),
    _rate_rule("endpoint_surge", "requests", "above", threshold=10.0),
    _rate_rule("endpoint_drop", "requests", "below", threshold=6.0),
)

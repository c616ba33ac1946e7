"""Which number of a rule is its threshold: the one that tuning tries and a slider moves."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import RuleThreshold
from aiops_nb.rules.client.params import (
    ClientBurstParams,
    ClientFloodParams,
    ClientRefusedParams,
    ClientRuleParams,
    DistributedFloodParams,
    EndpointAttackParams,
)

AnyClientRule = TypeVar("AnyClientRule", bound=ClientRuleParams)
TIMES_BASELINE = "min_times_baseline"
# (name of the field, the least that it may be; 0 is itself too little)
OF_CLIENT_RULES: dict[type[ClientRuleParams], tuple[str, float]] = {
    ClientFloodParams: (TIMES_BASELINE, 1.0),
    EndpointAttackParams: (TIMES_BASELINE, 1.0),
    ClientBurstParams: ("max_variation_ratio", 0.0),
    ClientRefusedParams: ("min_refused_hz", 0.0),
    DistributedFloodParams: (TIMES_BASELINE, 1.0),
}


def client_threshold(rule: ClientRuleParams) -> RuleThreshold:
    """What the threshold of a rule on clients is called, its present value, and the least that it may be.

    Examples
    --------
    >>> client_threshold(ClientRefusedParams())
    RuleThreshold(alertname='client_refused', name='min_refused_hz', value=0.5, least=0.0)
    """
    name, least = OF_CLIENT_RULES[type(rule)]
    return RuleThreshold(alertname=rule.alertname, name=name, value=getattr(rule, name), least=least)


def with_client_threshold(rule: AnyClientRule, threshold: float) -> AnyClientRule:
    """The same rule with another threshold.

    Raises
    ------
    ConfigError
        If it may not be so small, or is not finite.

    Examples
    --------
    >>> with_client_threshold(ClientFloodParams(), 8.0).min_times_baseline
    8.0
    >>> with_client_threshold(ClientFloodParams(), 0.5)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: threshold: expected min_times_baseline of client_flood, a number >= 1, got 0.5
    """
    now = client_threshold(rule)
    if not (0 < threshold < math.inf and threshold >= now.least):
        floor = f">= {now.least:g}" if now.least else "> 0"
        raise ConfigError.at("threshold", f"{now.name} of {rule.alertname}, a number {floor}", threshold)
    return msgspec.structs.replace(rule, **{now.name: float(threshold)})


class Movable(Generic[AnyClientRule]):
    """A rule whose parameters hold its threshold."""

    def __init__(self, params: AnyClientRule) -> None:
        self.params = params

    def set_threshold(self, threshold: float) -> None:
        """Use another one from the next window on; ConfigError if it cannot be."""
        self.params = with_client_threshold(self.params, threshold)

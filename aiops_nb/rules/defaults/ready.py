"""Rules that are ready but not judged unless a config names them."""

from __future__ import annotations

from collections.abc import Iterable

from aiops_nb.core.errors import ConfigError
from aiops_nb.rules.defaults.errors import READY_ERROR_RULES
from aiops_nb.rules.defaults.latency import READY_LATENCY_RULES
from aiops_nb.rules.defaults.metrics import READY_METRIC_RULES
from aiops_nb.rules.defaults.objectives import READY_SLO_RULES
from aiops_nb.rules.defaults.traffic import READY_TRAFFIC_RULES
from aiops_nb.rules.feature.params import FeatureRuleParams

AVAILABLE_RULES: dict[str, FeatureRuleParams] = {
    rule.alertname: rule
    for rule in (
        *READY_LATENCY_RULES,
        *READY_ERROR_RULES,
        *READY_TRAFFIC_RULES,
        *READY_SLO_RULES,
        *READY_METRIC_RULES,
    )
}


def with_ready(rules: tuple[FeatureRuleParams, ...], names: Iterable[str]) -> tuple[FeatureRuleParams, ...]:
    """The rules, and after them the ready ones of these names; one that is there already stays as it is.

    Raises
    ------
    ConfigError
        Naming those that exist.

    Examples
    --------
    >>> [rule.alertname for rule in with_ready((), ["slo_burn_1h"])]
    ['slo_burn_1h']
    """
    known = {rule.alertname for rule in rules}
    for place, name in enumerate(names):
        if name not in AVAILABLE_RULES:
            raise ConfigError.at(f"enable[{place}]", f"one of {', '.join(AVAILABLE_RULES)}", name)
    return (*rules, *(AVAILABLE_RULES[name] for name in dict.fromkeys(names) if name not in known))

"""Everything that decides what the pipeline makes of a stream; kept in every recording."""

from __future__ import annotations

from msgspec import Struct, field

from aiops_nb.alert.connectivity_params import ConnectivityParams
from aiops_nb.alert.inhibit_params import DEFAULT_INHIBIT_RULES, InhibitRuleParams
from aiops_nb.alert.params import DEFAULT_ROW_RULES, RowRuleParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.cpu import CPU_RULES
from aiops_nb.rules.disk import DISK_RULES
from aiops_nb.rules.errors import ERROR_RULES
from aiops_nb.rules.latency import LATENCY_RULES
from aiops_nb.rules.memory import MEMORY_RULES
from aiops_nb.rules.params import FeatureRuleParams

DEFAULT_FEATURE_RULES = (*LATENCY_RULES, *ERROR_RULES, *CPU_RULES, *MEMORY_RULES, *DISK_RULES)


class PipelineParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows, rules, and which alerts explain which others.

    Examples
    --------
    >>> sorted(rule.alertname for rule in PipelineParams().feature_rules if rule.metrics == ("disk_ratio",))
    ['disk_filling', 'disk_nearly_full']
    """

    window: WindowParams = field(default_factory=WindowParams)
    row_rules: tuple[RowRuleParams, ...] = DEFAULT_ROW_RULES
    feature_rules: tuple[FeatureRuleParams, ...] = DEFAULT_FEATURE_RULES
    inhibit_rules: tuple[InhibitRuleParams, ...] = DEFAULT_INHIBIT_RULES
    connectivity: ConnectivityParams = ConnectivityParams()

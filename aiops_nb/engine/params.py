"""Everything that decides what the pipeline makes of a stream; kept in every recording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import force_setattr

from aiops_nb.alert.dependencies import refuse_cycles
from aiops_nb.alert.escalation import EscalationParams
from aiops_nb.alert.flapping import FlappingParams
from aiops_nb.alert.grouping import GroupingParams
from aiops_nb.alert.inhibition import InhibitRuleParams
from aiops_nb.alert.silences import MaintenanceParams
from aiops_nb.core.errors import ConfigError
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.client.params import CLIENT_RULES, ClientRuleParams
from aiops_nb.rules.client.thresholds import client_threshold
from aiops_nb.rules.connectivity import ConnectivityParams
from aiops_nb.rules.defaults.certificate import CERTIFICATE_RULES
from aiops_nb.rules.defaults.errors import ERROR_RULES
from aiops_nb.rules.defaults.heartbeat import HEARTBEAT_MISSED
from aiops_nb.rules.defaults.hosts import (
    CPU_RULES,
    DISK_RULES,
    HOST_SILENCE,
    MEMORY_RULES,
    PULSE_METRIC,
)
from aiops_nb.rules.defaults.inhibition import DEFAULT_INHIBIT_RULES, GROUPING_INHIBITS
from aiops_nb.rules.defaults.latency import LATENCY_RULES
from aiops_nb.rules.defaults.metrics import SCRAPE_RULES
from aiops_nb.rules.defaults.ready import with_ready
from aiops_nb.rules.defaults.traffic import TRAFFIC_RULES
from aiops_nb.rules.evaluation_errors import ErrorParams
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.message.params import DEFAULT_MESSAGE_RULES, MessageRuleParams
from aiops_nb.rules.no_data import NoDataParams
from aiops_nb.rules.own_host import OwnHostAlerts
from aiops_nb.rules.row.params import DEFAULT_ROW_RULES, RowRuleParams
from aiops_nb.rules.source_times import DEFAULT_SOURCE_RULES, SourceRuleParams


class _Named(Protocol):
    @property
    def alertname(self) -> str: ...


DEFAULT_FEATURE_RULES = (
    *LATENCY_RULES,
    *ERROR_RULES,
    *TRAFFIC_RULES,
    *CERTIFICATE_RULES,
    *CPU_RULES,
    *MEMORY_RULES,
    *DISK_RULES,
    HOST_SILENCE,
    HEARTBEAT_MISSED,
    *SCRAPE_RULES,
)


class PipelineParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows, rules, which alerts inhibit which others, and when those of several targets are grouped.

    `grouping` None notifies each target's alert by itself.
    `enable` names further rules, such as `slo_burn_1h`; they are put among the `feature_rules`.
    `disable` names rules that are left out.
    `own_host_alerts`: alerts on the machine that the monitor runs on have a `lower` severity (critical and error become
    warning, warning becomes info), the `same` one, or are `off`. They have the label `scope: own_host`.
    `maintenance` are weekly windows in which alerts notify nobody.
    `depends_on` says which targets each target depends on: while one of those, or one that they depend on, has an error
    or critical alert, its alerts are inhibited. `flapping` None: every episode of an alert is notified by itself.
    `escalations` raise the severity of alerts that nobody acknowledges.
    `no_data` says what happens when a target brings no data, `errors` when a source fails or a rule cannot be
    evaluated.

    Examples
    --------
    >>> [rule.alertname for rule in PipelineParams(feature_rules=(), enable=("endpoint_surge",)).feature_rules]
    ['endpoint_surge']
    >>> [rule.alertname for rule in PipelineParams(disable=("http_4xx",)).row_rules]
    ['http_5xx', 'http_429', 'request_failed']
    """

    window: WindowParams = field(default_factory=WindowParams)
    row_rules: tuple[RowRuleParams, ...] = DEFAULT_ROW_RULES
    feature_rules: tuple[FeatureRuleParams, ...] = DEFAULT_FEATURE_RULES
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    inhibit_rules: tuple[InhibitRuleParams, ...] = DEFAULT_INHIBIT_RULES
    grouping: GroupingParams | None = GroupingParams()
    connectivity: ConnectivityParams = ConnectivityParams()
    clients: ClientParams = ClientParams()
    client_rules: tuple[ClientRuleParams, ...] = CLIENT_RULES
    source_rules: tuple[SourceRuleParams, ...] = DEFAULT_SOURCE_RULES
    message_rules: tuple[MessageRuleParams, ...] = DEFAULT_MESSAGE_RULES
    own_host_alerts: OwnHostAlerts = "lower"
    maintenance: tuple[MaintenanceParams, ...] = ()
    depends_on: dict[str, tuple[str, ...]] = {}
    flapping: FlappingParams | None = FlappingParams()
    escalations: tuple[EscalationParams, ...] = ()
    no_data: NoDataParams = NoDataParams()
    errors: ErrorParams = ErrorParams()

    def __post_init__(self) -> None:
        refuse_cycles(self.depends_on)
        if self.disable:
            self._take_out()
        if self.enable:  # written out, so that a recording holds the rules themselves
            force_setattr(self, "feature_rules", with_ready(self.feature_rules, self.enable))
            force_setattr(self, "enable", ())

    @property
    def rules_by_target(self) -> tuple[RowRuleParams | FeatureRuleParams, ...]:
        """Those that judge requests target by target, or the silence of hosts."""
        by_target = (rule for rule in self.feature_rules if rule.table == "requests" or _judges_silent_hosts(rule))
        return (*self.row_rules, *by_target)

    def _take_out(self) -> None:
        known = _names(self.all_rules)
        for place, name in enumerate(self.disable):
            if name not in known:
                raise ConfigError.at(f"disable[{place}]", f"one of {', '.join(known)}", name)
        unwanted = self.disable
        force_setattr(self, "row_rules", tuple(rule for rule in self.row_rules if rule.alertname not in unwanted))
        kept = tuple(rule for rule in self.feature_rules if rule.alertname not in unwanted)
        force_setattr(self, "feature_rules", kept)
        force_setattr(self, "client_rules", tuple(rule for rule in self.client_rules if rule.alertname not in unwanted))
        force_setattr(self, "source_rules", tuple(rule for rule in self.source_rules if rule.alertname not in unwanted))
        kept_messages = tuple(rule for rule in self.message_rules if rule.alertname not in unwanted)
        force_setattr(self, "message_rules", kept_messages)
        force_setattr(self, "disable", ())

    @property
    def all_rules(
        self,
    ) -> tuple[RowRuleParams | FeatureRuleParams | ClientRuleParams | SourceRuleParams | MessageRuleParams, ...]:
        """Every rule that is judged."""
        return (*self.row_rules, *self.feature_rules, *self.client_rules, *self.source_rules, *self.message_rules)

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each rule that has one to be moved, by alertname."""
        of_clients = {rule.alertname: client_threshold(rule).value for rule in self.client_rules}
        return {rule.alertname: rule.threshold for rule in self.feature_rules} | of_clients

    @property
    def all_inhibit_rules(self) -> tuple[InhibitRuleParams, ...]:
        """What inhibits what, the alerts of groups included."""
        return self.inhibit_rules if self.grouping is None else (*self.inhibit_rules, GROUPING_INHIBITS)


def _judges_silent_hosts(rule: FeatureRuleParams) -> bool:
    return rule.table == "samples" and rule.feature == "silent_seconds" and rule.metrics == (PULSE_METRIC,)


def _names(rules: Iterable[_Named]) -> list[str]:
    return [rule.alertname for rule in rules]

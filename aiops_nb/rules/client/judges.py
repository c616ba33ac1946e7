"""All rules on clients at work in one closed window."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import AlertChange, IntArray, RuleThreshold
from aiops_nb.features.clients.features import LEARN_SECONDS
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.clients.window import ClientWindow, Exclusions
from aiops_nb.rules.client.alerts import ClientAlerts
from aiops_nb.rules.client.distributed_flood import DistributedRule
from aiops_nb.rules.client.params import (
    ClientBurstParams,
    ClientFloodParams,
    ClientRefusedParams,
    ClientRuleParams,
    DistributedFloodParams,
    EndpointAttackParams,
)
from aiops_nb.rules.client.rules import BurstRule, ClientRule, EndpointRule, FloodRule, RefusedRule
from aiops_nb.rules.client.thresholds import client_threshold

NONE = np.zeros(0, np.int64)


class ClientJudges:
    """Judges clients, makes alerts, and names what was anomalous, so that it is not learned."""

    def __init__(self, rules: Iterable[ClientRuleParams], params: ClientParams, tick_seconds: float) -> None:
        self._params, self._tick_seconds = params, tick_seconds
        self._rules = [self._build(rule) for rule in rules]
        self._alerts = [ClientAlerts(rule, params.accept_seconds) for rule in self._rules]

    def _build(self, rule: ClientRuleParams) -> ClientRule:
        warmup, settle, accept = (
            max(1, round(seconds / self._tick_seconds))
            for seconds in (self._params.warmup_seconds, self._params.settle_seconds, self._params.accept_seconds)
        )
        match rule:
            case ClientFloodParams():
                return FloodRule(rule, self._params.settle_seconds / LEARN_SECONDS)
            case EndpointAttackParams():
                return EndpointRule(rule, self._params.settle_seconds / LEARN_SECONDS)
            case ClientBurstParams():
                return BurstRule(rule)
            case ClientRefusedParams():
                return RefusedRule(rule)
            case DistributedFloodParams():
                return DistributedRule(rule, warmup, settle, accept)

    @property
    def thresholds(self) -> tuple[RuleThreshold, ...]:
        """The threshold of each rule."""
        return tuple(client_threshold(rule.params) for rule in self._rules)

    def set_threshold(self, alertname: str, threshold: float) -> None:
        """Move that of all rules of this name; one that cannot be is left as it is: the stream goes on."""
        for rule in self._rules:
            if rule.params.alertname == alertname:
                with suppress(ConfigError):
                    rule.set_threshold(threshold)

    def tick(self, window: ClientWindow) -> tuple[Exclusions, list[AlertChange]]:
        """Judge a closed window by every rule."""
        found = [rule.judge(window) for rule in self._rules]
        judged = zip(self._alerts, found, strict=True)
        return self._exclusions(found), [change for alerts, slots in judged for change in alerts.tick(window, slots)]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for alerts in self._alerts:
            alerts.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing came at all for so long."""
        return [change for alerts in self._alerts for change in alerts.pass_silence(elapsed_ns, end_ns)]

    def close(self, end_ns: int, outcome: str) -> list[AlertChange]:
        """Changes that end all episodes."""
        return [change for alerts in self._alerts for change in alerts.close(end_ns, outcome)]

    def _exclusions(self, found: list[IntArray]) -> Exclusions:
        def by(*kinds: type) -> IntArray:
            parts = [places for rule, places in zip(self._rules, found, strict=True) if isinstance(rule, kinds)]
            return np.unique(np.concatenate([NONE, *parts]))

        flood = any(rule.is_new_flood for rule in self._rules if isinstance(rule, DistributedRule))
        return Exclusions(count=by(FloodRule), refused=by(RefusedRule), pairs=by(EndpointRule, BurstRule), flood=flood)

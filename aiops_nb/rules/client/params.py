"""Attacks and mishaps of single clients, and floods of new ones. Only traffic is judged, never our own probes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.types import Severity

Ratio = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Factor = Annotated[float, Meta(ge=1)]
Most = Annotated[int, Meta(ge=1, le=1000)]
HOLD = HoldParams(for_seconds=3.0, keep_firing_for_seconds=30.0)
# Longer: the alert on the same client that says more, and explains this one, shall be first.
AFTER_OTHERS = HoldParams(for_seconds=10.0, keep_firing_for_seconds=30.0)


class ClientFloodParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="flood", tag_field="type"):
    """One client makes far more requests than any other client.

    Attributes
    ----------
    min_rate_hz
        Mean over the span of the features (60 s) below which nobody is looked at.
    min_times_baseline
        How many times the baseline: that of the busiest client, and that of this client where it has a past.
    min_share_ratio
        Share of all requests that it makes at least.
    alertname, severity, hold, max_alerts
        Of the alert; beyond `max_alerts` clients at once there is one alert for the rest, of the client `__other__`.
    """

    alertname: str = "client_flood"
    severity: Severity = "error"
    hold: HoldParams = HOLD
    max_alerts: Most = 20
    min_rate_hz: Positive = 5.0
    min_times_baseline: Factor = 5.0
    min_share_ratio: Ratio = 0.1


class EndpointAttackParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="endpoint", tag_field="type"
):
    """One client hammers one target: little else of its own, and much of all that the target gets.

    Attributes
    ----------
    min_rate_hz
        Mean over the span of the features (60 s) below which nobody is looked at.
    min_concentration_ratio
        Share of the client's requests that go to this target.
    min_share_ratio
        Share of the target's requests that come from this client.
    min_times_baseline
        How many times the baseline number of requests of the busiest client of one target, and of this client there.
    alertname, severity, hold, max_alerts
        See `ClientFloodParams`.
    """

    alertname: str = "endpoint_attack"
    severity: Severity = "warning"
    hold: HoldParams = HOLD
    max_alerts: Most = 20
    min_rate_hz: Positive = 2.0
    min_concentration_ratio: Ratio = 0.8
    min_share_ratio: Ratio = 0.5
    min_times_baseline: Factor = 5.0


class ClientBurstParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="burst", tag_field="type"):
    """One client comes back to one target in bursts, or single requests, as regular as a machine.

    Attributes
    ----------
    min_rate_hz
        Mean over the span of the features (60 s) below which nobody is looked at.
    max_period_seconds
        Longest mean time from burst to burst.
    max_variation_ratio
        Largest standard deviation of that time, as a share of it; 1 if requests are independent of each other.
    min_intervals
        How many such times must have been seen in the span.
    alertname, severity, hold, max_alerts
        See `ClientFloodParams`.
    """

    alertname: str = "client_burst"
    severity: Severity = "info"
    hold: HoldParams = HOLD
    max_alerts: Most = 20
    min_rate_hz: Positive = 0.9
    max_period_seconds: Positive = 5.0
    max_variation_ratio: Positive = 0.15
    min_intervals: Annotated[int, Meta(ge=3)] = 10


class ClientRefusedParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused", tag_field="type"
):
    """One client is refused again and again (401, 403, 404): it tries out passwords, or looks for what is open.

    Attributes
    ----------
    min_refused_hz
        Refusals a second, mean over the span of the features (60 s).
    min_refused_ratio
        Share of the client's requests that were refused.
    alertname, severity, hold, max_alerts
        See `ClientFloodParams`.
    """

    alertname: str = "client_refused"
    severity: Severity = "warning"
    hold: HoldParams = AFTER_OTHERS
    max_alerts: Most = 20
    min_refused_hz: Positive = 0.5
    min_refused_ratio: Ratio = 0.5


class DistributedFloodParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="distributed", tag_field="type"
):
    """Far more requests than expected, and most of the surplus is from clients not seen before.

    Attributes
    ----------
    min_rate_hz
        Rate over the last 10 s, of one target or of all together, below which it is not looked at.
    min_times_baseline
        How many times the baseline rate.
    min_new_ratio
        How far the share of requests by new clients has come from its baseline to 1: at 0.5, from a baseline of
        0.1 to 0.55, from 0.6 to 0.8.
    alertname, severity, hold, max_alerts
        See `ClientFloodParams`; here of targets. Where they are several it is reported of all together, as `*`.
    """

    alertname: str = "distributed_flood"
    severity: Severity = "error"
    hold: HoldParams = HOLD
    max_alerts: Most = 20
    min_rate_hz: Positive = 20.0
    min_times_baseline: Factor = 3.0
    min_new_ratio: Ratio = 0.5


ClientRuleParams = (
    ClientFloodParams | EndpointAttackParams | ClientBurstParams | ClientRefusedParams | DistributedFloodParams
)
CLIENT_RULES: tuple[ClientRuleParams, ...] = (
    ClientFloodParams(),
    EndpointAttackParams(),
    ClientBurstParams(),
    ClientRefusedParams(),
    DistributedFloodParams(),
)

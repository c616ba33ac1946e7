"""Which alerts inhibit which others."""

from __future__ import annotations

from aiops_nb.alert.grouping import GROUPING_DETECTOR
from aiops_nb.alert.inhibition import CONNECTIVITY_ALERT, InhibitRuleParams

HOST_INHIBITS = {
    "cpu_saturation": ("cpu_spike", "cpu_system_share"),
    "cpu_spike": ("cpu_system_share",),
    "memory_nearly_full": ("memory_leak", "swapping"),
    "disk_nearly_full": ("disk_filling",),
}
SAME_SERIES = ("target", "origin")
# Of one client: where it does most harm says more than what else it does.
CLIENTS_INHIBIT = {
    "endpoint_attack": ("client_refused", "client_burst"),
    "client_flood": ("client_burst",),
}
FLOODS = ("client_flood", "distributed_flood")
# (alerts that inhibit, alerts that they inhibit): the same trouble of the same series, seen less directly.
REQUESTS_INHIBIT: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("request_failed", "http_5xx"),
        (
            "error_ratio_anomaly",
            "error_ratio_siblings",
            "latency_p95_anomaly",
            "latency_mean_anomaly",
            "latency_p99_anomaly",
            "latency_siblings",
        ),
    ),
    (("latency_p95_anomaly",), ("latency_mean_anomaly", "latency_p99_anomaly", "latency_siblings")),
    (("latency_mean_anomaly", "latency_p99_anomaly"), ("latency_siblings",)),
    (("error_ratio_anomaly",), ("error_ratio_siblings",)),
    (("traffic_silence",), ("traffic_drop",)),
    (("endpoint_silence",), ("endpoint_drop",)),
    (("certificate_ends",), ("certificate_ends_soon",)),
    (("slo_burn_1h",), ("slo_burn_6h", "slo_burn_1d", "slo_burn_3d")),
    (("slo_burn_6h",), ("slo_burn_1d", "slo_burn_3d")),
    (("slo_burn_1d",), ("slo_burn_3d",)),
)
DEFAULT_INHIBIT_RULES = (
    InhibitRuleParams(
        source_matchers={"alertname": (CONNECTIVITY_ALERT,)}, target_matchers={"origin": ("probe",)}, keep_seconds=30.0
    ),
    *(
        InhibitRuleParams(
            source_matchers={"alertname": inhibiting}, target_matchers={"alertname": inhibited}, equal=SAME_SERIES
        )
        for inhibiting, inhibited in REQUESTS_INHIBIT
    ),
    InhibitRuleParams(
        source_matchers={"alertname": ("request_failed", "http_5xx", "error_ratio_anomaly")},
        target_matchers={"alertname": ("error_ratio_overall",)},
        equal=("origin",),
    ),
    *(
        InhibitRuleParams(source_matchers={"alertname": (one,)}, target_matchers={"alertname": others}, equal=(label,))
        for label, inhibits in (("target", HOST_INHIBITS), ("client", CLIENTS_INHIBIT))
        for one, others in inhibits.items()
    ),
    InhibitRuleParams(
        source_matchers={"alertname": ("future_rows",)},
        target_matchers={"alertname": ("late_rows",)},
        equal=("target",),
    ),
    # What comes late is judged by nothing, and seems not to have been.
    InhibitRuleParams(
        source_matchers={"alertname": ("late_rows", "future_rows")},
        target_matchers={
            "alertname": (
                "traffic_silence",
                "traffic_drop",
                "endpoint_silence",
                "endpoint_drop",
                "host_silence",
                "no_data",
            )
        },
    ),
    InhibitRuleParams(
        source_matchers={"alertname": ("host_silence",)}, target_matchers={"alertname": ("no_data",)}, equal=("target",)
    ),
    # Nothing comes at all: what brings both is down.
    InhibitRuleParams(
        source_matchers={"alertname": ("traffic_silence",)}, target_matchers={"alertname": ("host_silence", "no_data")}
    ),
    InhibitRuleParams(
        source_matchers={"alertname": FLOODS},
        target_matchers={"alertname": ("traffic_surge", "endpoint_surge")},
        equal=("origin",),
    ),
)


GROUPING_INHIBITS = InhibitRuleParams(
    source_matchers={"detector": (GROUPING_DETECTOR,)},
    target_matchers={},
    equal=("alertname", "origin"),
    keep_seconds=30.0,
)

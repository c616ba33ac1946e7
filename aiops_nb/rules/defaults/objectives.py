"""Service level objectives: the error budget burns too fast, over a long and a short window.

Windows and factors are those of The Site Reliability Workbook (2018), chapter 5, for an objective over 30 days: 14.4
spends 2 % of the budget in an hour, 6 spends 5 % in six hours, 3 and 1 spend 10 % in a day and in three.
"""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import Severity
from aiops_nb.detect.limits.burn_rate import BurnRateParams
from aiops_nb.rules.feature.params import FeatureRuleParams

# (alertname, severity, burn rate, long and short window in seconds), the stronger first: it explains the others
BURN_RATES: tuple[tuple[str, Severity, float, int, int], ...] = (
    ("slo_burn_1h", "critical", 14.4, 3600, 300),
    ("slo_burn_6h", "critical", 6.0, 21600, 1800),
    ("slo_burn_1d", "warning", 3.0, 86400, 7200),
    ("slo_burn_3d", "warning", 1.0, 259200, 21600),
)


def burn_rate_rules(
    objective_ratio: float = 0.999, origin: Origin | None = None, targets: tuple[str, ...] = ()
) -> tuple[FeatureRuleParams, ...]:
    """The four rules of an objective.

    Parameters
    ----------
    objective_ratio
        Share of requests that must be good, between 0 and 1.
    origin
        Only `probe` or `traffic`; None: each by itself.
    targets
        Only these, each of which must be among `objective_targets` of the window parameters; none named: these and
        all together.

    Examples
    --------
    >>> [(rule.alertname, rule.threshold) for rule in burn_rate_rules(0.995, origin="traffic")][:2]
    [('slo_burn_1h', 14.4), ('slo_burn_6h', 6.0)]
    """
    return tuple(
        FeatureRuleParams(
            alertname=alertname,
            table="slo",
            feature=f"error_ratio_{long}s",
            features=(f"error_ratio_{short}s", f"request_count_{long}s"),
            origin=origin,
            targets=targets,
            severity=severity,
            threshold=burn_rate,
            resolve_threshold=burn_rate,
            hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=60.0),
            detector=BurnRateParams(objective_ratio=objective_ratio),
        )
        for alertname, severity, burn_rate, long, short in BURN_RATES
    )


READY_SLO_RULES = burn_rate_rules()

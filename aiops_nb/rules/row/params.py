"""Rules as data: what makes an alert, and how long it must hold."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from aiops_nb.alert.lifecycle import CLOSE_AFTER_SECONDS, Seconds
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import Severity

RowCondition = Literal["status_5xx", "status_4xx", "status_429", "failed"]


class RowRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert on single rows, judged within the batch.

    Attributes
    ----------
    alertname
        Identity of the rule.
    condition
        What a row must be to count: answered 5xx, 4xx but 429, 429 (too many requests, RFC 6585), or failed
        without a valid answer.
    origin
        Only series of this origin: `probe` or `traffic`; None: both.
    severity
        info, warning, error or critical.
    for_rows
        Consecutive rows of a series that must hit before it fires; 1 fires at once.
    max_chance_alerts_per_day
        For a series with a background ratio of hits the number is raised so that, over all series of the rule, random
        runs alert at most so often a day, if hits are independent of each other. None:
        `for_rows` always.
    keep_firing_for_seconds
        How long a series must be free of hits, with rows to prove it, before the alert is resolved.
    close_after_seconds
        An alert, pending or firing, whose series has no rows for so long is closed, "no data for 15 min"; None: never.
        Time in which the monitor itself was stopped or asleep does not count.
    """

    alertname: str
    condition: RowCondition
    origin: Origin | None = None
    severity: Severity = "error"
    for_rows: Annotated[int, Meta(ge=1)] = 3
    max_chance_alerts_per_day: Annotated[float, Meta(gt=0)] | None = 0.1
    keep_firing_for_seconds: Seconds = 10.0
    close_after_seconds: Annotated[float, Meta(gt=0)] | None = CLOSE_AFTER_SECONDS


DEFAULT_ROW_RULES = (
    RowRuleParams(alertname="http_5xx", condition="status_5xx", severity="error"),
    # Of traffic, a run of 4xx is somebody's wrong addresses, and each of them a series: the rules on clients say who.
    RowRuleParams(alertname="http_4xx", condition="status_4xx", origin="probe", severity="warning"),
    RowRuleParams(alertname="http_429", condition="status_429", severity="warning"),
    RowRuleParams(alertname="request_failed", condition="failed", severity="critical"),
)

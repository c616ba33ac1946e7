"""Rules on the times of a source's rows: a clock that is wrong, or rows that were held up."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from aiops_nb.alert.params import HoldParams
from aiops_nb.core.types import Severity

SourceCondition = Literal["late", "future"]


class SourceRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Most rows of one source have times at which they cannot be judged, or which have not come yet.

    Attributes
    ----------
    alertname
        Identity of the rule.
    condition
        What a row must be to count: `late`, of a window that is closed, so that it is recorded and judged by nothing;
        or from the `future`, `future_seconds` ahead of the recorded clock at least.
    severity
        info, warning, error or critical.
    min_rows
        So many such rows of the source there must be in the last 5 closed windows.
    min_ratio
        Their share in all rows of the source in that time, 0 to 1.
    future_seconds
        How far ahead is the future; the smallest of all rules counts. Other machines' clocks differ a little.
    hold
        How long it must hold.
    """

    alertname: str
    condition: SourceCondition
    severity: Severity = "warning"
    min_rows: Annotated[int, Meta(ge=1)] = 10
    min_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.1
    future_seconds: Annotated[float, Meta(gt=0)] = 5.0
    hold: HoldParams = HoldParams(for_seconds=10.0, keep_firing_for_seconds=30.0)


SOON = HoldParams(for_seconds=3.0, keep_firing_for_seconds=30.0)
DEFAULT_SOURCE_RULES = (
    SourceRuleParams(alertname="late_rows", condition="late"),
    SourceRuleParams(alertname="future_rows", condition="future", min_ratio=0.03, hold=SOON),
)

"""Rules on messages as data."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from aiops_nb.alert.lifecycle import HoldParams, Seconds
from aiops_nb.core.types import Severity

MessageCondition = Literal["new_template", "text", "error_ratio"]
MOST_PATTERN_CHARACTERS = 500


class MessageRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert on what a target logs, judged when a window closes.

    Attributes
    ----------
    alertname
        Identity of the rule.
    condition
        What a message must be to count: of a template that its log has never had (`new_template`), matching `pattern`
        (`text`), or of the severity error or critical (`error_ratio`).
    severity
        info, warning, error or critical.
    pattern
        Of `text`: a regular expression (RE2) that a message matches; its time is linear in the length of a message.
    unless
        Of `text`: messages that match this one do not count.
    targets
        Only messages of these targets; none named: all.
    min_rows
        So many such messages of a target there must be in the last `span_ticks` windows.
    min_ratio
        Of `error_ratio`: their share in all messages of the target that have a severity, 0 to 1.
    span_ticks
        Windows that are looked at.
    settle_seconds, settle_rows
        Of `new_template`: a log must have been heard for so long and have brought so many messages before a template
        counts as new.
    hold
        How long it must hold.
    """

    alertname: str
    condition: MessageCondition
    severity: Severity = "warning"
    pattern: Annotated[str, Meta(max_length=MOST_PATTERN_CHARACTERS)] = ""
    unless: Annotated[str, Meta(max_length=MOST_PATTERN_CHARACTERS)] = ""
    targets: tuple[str, ...] = ()
    min_rows: Annotated[int, Meta(ge=1)] = 1
    min_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0
    span_ticks: Annotated[int, Meta(ge=1, le=600)] = 1
    settle_seconds: Seconds = 600.0
    settle_rows: Annotated[int, Meta(ge=0)] = 1_000
    hold: HoldParams = HoldParams(for_seconds=0.0, keep_firing_for_seconds=60.0)

    def __post_init__(self) -> None:
        if (self.condition == "text") != bool(self.pattern):
            raise ValueError("pattern: expected one of the condition text, and of no other")
        if self.unless and not self.pattern:
            raise ValueError("unless: expected only where there is a pattern")


DEFAULT_MESSAGE_RULES = (
    MessageRuleParams(
        alertname="log_new_template",
        condition="new_template",
        severity="info",
        hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=300.0),
    ),
    MessageRuleParams(
        alertname="log_errors",
        condition="error_ratio",
        severity="warning",
        min_rows=10,
        min_ratio=0.5,
        span_ticks=60,
        hold=HoldParams(for_seconds=10.0, keep_firing_for_seconds=60.0),
    ),
)

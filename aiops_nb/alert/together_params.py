"""When an alert of many targets is told once."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.inhibit_params import InhibitRuleParams

TOGETHER_DETECTOR = "together"


class TogetherParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert of the target `*` when most targets of an origin have the same one, pending or firing.

    Attributes
    ----------
    min_targets
        So many targets at least.
    min_ratio
        Share of the targets of that origin that were heard of in the span.
    """

    min_targets: Annotated[int, Meta(ge=2)] = 3
    min_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5


def name_of_many(alertname: str) -> str:
    """What an alert of many targets is called where it explains the single ones.

    Examples
    --------
    >>> name_of_many("http_5xx")
    'http_5xx of many'
    """
    return f"{alertname} of many"


TOGETHER_EXPLAINS = InhibitRuleParams(
    source_matchers={"detector": (TOGETHER_DETECTOR,)},
    target_matchers={},
    equal=("alertname", "origin"),
    keep_seconds=30.0,
)

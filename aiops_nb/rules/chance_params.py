"""When so many bad ones are more than chance."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class ChanceParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Three bad of twelve say something where one of a thousand is usual, and nothing where three of a hundred are.

    Attributes
    ----------
    hits, of
        Features that count the bad ones, and all.
    most_chance
        Bound on the probability that chance makes so many in one window, at the usual share; a window counts as
        anomalous only below.
    min_usual_ratio
        Smallest usual share that is assumed.
    """

    hits: str = "span_error_count"
    of: str = "span_count"
    most_chance: Annotated[float, Meta(gt=0, lt=1)] = 1e-6
    min_usual_ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.002

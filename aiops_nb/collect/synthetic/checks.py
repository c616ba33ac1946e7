"""One line for what cannot be."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

from aiops_nb.core.errors import ConfigError


def check_number(where: str, value: object, low: float, high: float) -> None:
    """One line for a value that is no number within [low, high]."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]
        expected = f"a number >= {low:g}" if math.isinf(high) else f"a number from {low:g} to {high:g}"
        raise ConfigError.at(where, expected, value)


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name.

    Raises
    ------
    ConfigError
        If no zone has that name.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError, AttributeError):
        raise ConfigError.at("timezone", "an IANA zone such as Europe/Paris", name) from None

"""A number that a caller gave, or one clear line about what came instead."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard

from aiops_nb.core.errors import ConfigError


def positive(where: str, value: object) -> float:
    """A finite number above 0.

    Examples
    --------
    >>> positive("penalty", 3)
    3.0
    >>> positive("penalty", "3")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: penalty: expected a number > 0, got '3'
    """
    if not _is_number(value) or not value > 0:
        raise ConfigError.at(where, "a number > 0", value)
    return float(value)


def not_negative(where: str, value: object, most: float = math.inf) -> float:
    """A finite number from 0 to `most`.

    Examples
    --------
    >>> not_negative("threshold", 101, most=100)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: threshold: expected a number from 0 to 100, got 101
    """
    if not _is_number(value) or not 0 <= value <= most:
        raise ConfigError.at(where, "a number >= 0" if math.isinf(most) else f"a number from 0 to {most:g}", value)
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)

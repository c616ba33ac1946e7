"""Whether the parameters of a step of preprocessing are in range, and go together."""

from __future__ import annotations

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.preprocess.params import (
    ClipQuantileParams,
    EmaParams,
    ResampleParams,
    SavitzkyGolayParams,
    StepParams,
    name_of,
)

SHORTEST_SECONDS = 1e-6


def check(params: StepParams) -> None:
    """Refuse parameters out of range, or that contradict each other.

    Raises
    ------
    ConfigError
        Naming the step, the parameter and what was expected.

    Examples
    --------
    >>> from aiops_nb.preprocess.params import MovingMedianParams
    >>> check(MovingMedianParams(window_values=5, warmup_values=9))
    Traceback (most recent call last):
    aiops_nb.core.errors.ConfigError: moving_median.warmup_values: expected a number <= window_values (5), got 9
    """
    try:
        msgspec.convert(msgspec.to_builtins(params), StepParams)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name_of(params)}: {error}") from error
    _check_combination(params)


def _check_combination(params: StepParams) -> None:
    if isinstance(params, SavitzkyGolayParams):
        _at_most(params, "degree", params.degree, params.window_values - 1, "window_values - 1")
    elif isinstance(params, ClipQuantileParams):
        _at_most(params, "lower_quantile", params.lower_quantile, params.upper_quantile, "upper_quantile")
    elif isinstance(params, ResampleParams) and params.interval_seconds < SHORTEST_SECONDS:
        raise ConfigError.at("resample.interval_seconds", f"at least {SHORTEST_SECONDS}", params.interval_seconds)
    if not isinstance(params, EmaParams | ResampleParams | SavitzkyGolayParams):
        _at_most(params, "warmup_values", params.warmup_values, params.window_values, "window_values")


def _at_most(params: StepParams, name: str, value: float, limit: float, limit_name: str) -> None:
    if value > limit:
        raise ConfigError.at(f"{name_of(params)}.{name}", f"a number <= {limit_name} ({limit})", value)

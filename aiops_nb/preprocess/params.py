"""Parameters of the preprocessing steps: one struct a step, distinguished by `type`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast, get_args

import msgspec
from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
WindowValues = Annotated[int, Meta(ge=3, le=3600)]
WarmupValues = Annotated[int, Meta(ge=1, le=3600)]
Quantile = Annotated[float, Meta(ge=0, le=1)]
ScaleMethod = Literal["standard", "robust", "min_max"]


class HampelParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hampel", tag_field="type"):
    """Noise removal: a value too far off the median of the values before it becomes that median.

    Attributes
    ----------
    window_values
        How many known values before this one are looked at.
    warmup_values
        NaN until so many are known.
    deviations
        From how many standard deviations (by the MAD) on a value is noise.
    min_deviation, min_deviation_ratio
        Smallest standard deviation, in the series' unit and as a share of the median; where both are 0 and the past
        does not vary, nothing is noise.
    """

    window_values: WindowValues = 15
    warmup_values: WarmupValues = 5
    deviations: Positive = 3.0
    min_deviation: NotNegative = 0.0
    min_deviation_ratio: NotNegative = 0.0


class EmaParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ema", tag_field="type"):
    """Exponential moving mean, from the first known value on.

    Attributes
    ----------
    half_life_values
        After so many known values a value weighs half.
    """

    half_life_values: Positive = 3.0


class SavitzkyGolayParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="savitzky_golay", tag_field="type"
):
    """A polynomial fitted to the last values, read at the newest; NaN until the window is full.

    Attributes
    ----------
    window_values
        How many known values, this one included, are fitted; they count as evenly spaced.
    degree
        Of the polynomial; below `window_values`.
    """

    window_values: WindowValues = 11
    degree: Annotated[int, Meta(ge=0, le=5)] = 2


class MovingMedianParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="moving_median", tag_field="type"
):
    """Median of the last values, this one included.

    Attributes
    ----------
    window_values
        How many known values.
    warmup_values
        NaN until so many are known.
    """

    window_values: WindowValues = 5
    warmup_values: WarmupValues = 1


class ClipQuantileParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="clip_quantile", tag_field="type"
):
    """Clipping to the quantiles of the values before; what was never seen to vary is not clipped.

    Attributes
    ----------
    window_values
        How many known values before this one are looked at.
    warmup_values
        NaN until so many are known.
    lower_quantile, upper_quantile
        The bounds, 0 to 1.
    """

    window_values: WindowValues = 300
    warmup_values: WarmupValues = 30
    lower_quantile: Quantile = 0.01
    upper_quantile: Quantile = 0.99


class ClipMadParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="clip_mad", tag_field="type"):
    """Clipping to so many standard deviations (by the MAD) around the median of the values before.

    Attributes
    ----------
    window_values
        How many known values before this one are looked at.
    warmup_values
        NaN until so many are known.
    deviations
        Half the width of the band.
    min_deviation, min_deviation_ratio
        As for `HampelParams`.
    """

    window_values: WindowValues = 300
    warmup_values: WarmupValues = 30
    deviations: Positive = 5.0
    min_deviation: NotNegative = 0.0
    min_deviation_ratio: NotNegative = 0.0


class ScaleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="scale", tag_field="type"):
    """Centre and spread of the values before: (value - centre) / spread.

    Attributes
    ----------
    method
        `standard`: mean and standard deviation; `robust`: median and distance between the quartiles; `min_max`:
        smallest value and range (a value beyond what was seen falls outside of 0 to 1).
    window_values
        How many known values before this one are looked at.
    warmup_values
        NaN until so many are known.
    min_spread
        Smallest spread, in the series' unit. Where it is 0 and the past does not vary, the same value again is 0 and
        any other NaN.
    """

    method: ScaleMethod = "standard"
    window_values: WindowValues = 300
    warmup_values: WarmupValues = 30
    min_spread: NotNegative = 0.0


class ResampleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resample", tag_field="type"):
    """An even grid of time: each point takes the nearest known value before it, if that is not too old.

    The only step that puts a value where none was; the first of a chain, or not in it.

    Attributes
    ----------
    interval_seconds
        Distance of the grid's points, which lie at its multiples since 1970 UTC; live, the width of a tick.
    max_gap_seconds
        A value older than this is not used: the point is NaN.
    """

    interval_seconds: Positive = 1.0
    max_gap_seconds: NotNegative = 5.0


_COMPLAINT = re.compile(r"(.*) - at `\$\.(\w+)`")
StepParams = (
    HampelParams
    | EmaParams
    | SavitzkyGolayParams
    | MovingMedianParams
    | ClipQuantileParams
    | ClipMadParams
    | ScaleParams
    | ResampleParams
)


def name_of(params: StepParams) -> str:
    """The step's `type`.

    Examples
    --------
    >>> name_of(ClipMadParams())
    'clip_mad'
    """
    return str(params.__struct_config__.tag)


def as_steps(steps: Sequence[StepParams | Mapping[str, object]]) -> list[StepParams]:
    """Parameters of steps, of which some may be written as in a config.

    Raises
    ------
    ConfigError
        Naming the step, the parameter and what was expected.

    Examples
    --------
    >>> as_steps([{"type": "ema", "half_life_values": 5}])
    [EmaParams(half_life_values=5.0)]
    """
    if isinstance(steps, (str, Mapping)) or not isinstance(steps, Sequence):
        raise ConfigError.at("steps", "a list of steps", steps)
    return [_as_step(f"steps[{place}]", step) for place, step in enumerate(steps)]


def _as_step(where: str, step: StepParams | Mapping[str, object]) -> StepParams:
    if isinstance(step, get_args(StepParams)):
        return cast("StepParams", step)
    if not isinstance(step, Mapping):
        raise ConfigError.at(where, 'a mapping such as {"type": "ema"}, or the parameters of a step', step)
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(StepParams)}
    _check_name(f"{where}.type", step.get("type"), list(kinds))
    fields = kinds[step["type"]].__struct_fields__
    for name in step:
        _check_name(f"{where}.{name}", name, ["type", *fields])
    try:
        converted: StepParams = msgspec.convert(dict(step), StepParams)
    except msgspec.ValidationError as problem:
        raise _fault(where, step, problem) from None
    return converted


def _check_name(where: str, name: object, known: list[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"{where}: expected one of {', '.join(known)}, got {name!r}{hint}")


def _fault(where: str, step: Mapping[str, object], problem: msgspec.ValidationError) -> ConfigError:
    """The library's complaint with the parameter first, and what came."""
    match = _COMPLAINT.fullmatch(str(problem))
    if match is None:
        return ConfigError(f"{where}: {problem}")
    expected = match[1].replace("`", "").replace("Invalid enum value", "expected a known value, got")
    expected = expected[0].lower() + expected[1:]
    got = "" if ", got " in expected else f", got {step.get(match[2])!r}"
    return ConfigError(f"{where}.{match[2]}: {expected}{got}")

"""Every detector that a configuration can name: one table, extended by the entry points `aiops_nb.detectors`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.lazy import OURS, PlugIn
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams, isolation_forest
from aiops_nb.detect.estimators.params import EstimatorParams, estimator_of
from aiops_nb.detect.kernel import StreamParams
from aiops_nb.detect.kernels import (
    cusum,
    default,
    discord,
    ewma,
    extremes,
    facts,
    faults,
    half_space_trees,
    hybrid,
    iqr,
    median,
    seasonal,
    shift,
    stuck,
)
from aiops_nb.detect.limits.burn_rate import BurnRate, BurnRateParams
from aiops_nb.detect.limits.ceiling import Ceiling, CeilingParams
from aiops_nb.detect.limits.growth import Growth, GrowthParams
from aiops_nb.detect.limits.level import Level, LevelParams
from aiops_nb.detect.limits.robust_z import RobustZ, RobustZParams
from aiops_nb.detect.limits.siblings import Siblings, SiblingsParams
from aiops_nb.detect.limits.silence import Silence, SilenceParams
from aiops_nb.detect.plug_ins import callers_level, with_warnings
from aiops_nb.detect.score_scale import AlarmLine, rate_warning
from aiops_nb.detect.spec import DetectorSpec, LiveDetector, ThresholdUnit
from aiops_nb.detect.streaming import StreamingDetector

if TYPE_CHECKING:
    import pandas as pd

DetectorParams = (
    RobustZParams
    | LevelParams
    | IsolationForestParams
    | EstimatorParams
    | CeilingParams
    | GrowthParams
    | SiblingsParams
    | SilenceParams
    | BurnRateParams
    | default.DefaultParams
    | faults.FaultsParams
    | facts.FactsParams
    | extremes.ExtremesParams
    | hybrid.HybridParams
    | median.MedianParams
    | ewma.EwmaParams
    | iqr.IqrParams
    | seasonal.SeasonalParams
    | half_space_trees.HalfSpaceTreesParams
    | discord.DiscordParams
    | cusum.CusumParams
    | shift.ShiftParams
    | stuck.StuckParams
)


def _streaming(
    module: ModuleType, params: type[StreamParams], slope: float, offset: float, purpose: str
) -> DetectorSpec:
    """A kernel, and the line that its raw scores on healthy series follow."""
    name, kernel = str(params.__struct_config__.tag), module.KERNEL

    def build(given: StreamParams, features: tuple[str, ...], threshold: float) -> LiveDetector:
        return StreamingDetector(name, features[0], kernel, given, threshold)

    line = AlarmLine(slope=slope, offset=offset)
    return DetectorSpec(params=params, build=build, threshold_unit="score", purpose=purpose, scale=line, kernel=kernel)


def _of_one(
    detector: Callable[..., LiveDetector], params: type[msgspec.Struct], unit: ThresholdUnit, purpose: str
) -> DetectorSpec:
    """A detector that takes one feature, its parameters and a threshold."""

    def build(given: Any, features: tuple[str, ...], threshold: float) -> LiveDetector:
        return detector(features[0], given, threshold)

    return DetectorSpec(params=params, build=build, threshold_unit=unit, purpose=purpose)


# Slope and offset: raw scores of healthy series, fitted by `python -m benchmarks.detection --alarm-lines`; those of
# `default` and `hybrid` were raised to fit real series too; `stuck` is the exact tail: most series never repeat.
_BUILT_IN: tuple[DetectorSpec, ...] = (
    _streaming(
        default, default.DefaultParams, 0.85, -0.95, "shape of the last points, new values and change; few alarms"
    ),
    _streaming(
        faults, faults.FaultsParams, 0.59, 0.13, "faults of services: rare facts, size by the hour, and recent level"
    ),
    _streaming(
        facts, facts.FactsParams, 0.66, 0.53, "spikes, bursts and dropouts: value, change and time of day alone"
    ),
    _streaming(
        extremes,
        extremes.ExtremesParams,
        0.59,
        -0.12,
        "faults by size and recent level at this hour and weekday, and beyond what was seen",
    ),
    _streaming(hybrid, hybrid.HybridParams, 0.86, -1.0, "both at once: odd in its context, or a fault by its size"),
    _streaming(median, median.MedianParams, 0.7, 0.34, "robust z: off running medians over a short and a long horizon"),
    _streaming(ewma, ewma.EwmaParams, 0.8, 0.05, "off a moving mean, in moving standard deviations"),
    _streaming(iqr, iqr.IqrParams, 0.66, 0.37, "beyond running quartiles, in distances between them"),
    _streaming(
        seasonal,
        seasonal.SeasonalParams,
        0.61,
        0.53,
        "off the level expected at this time of day and hour of the week",
    ),
    _streaming(
        half_space_trees, half_space_trees.HalfSpaceTreesParams, 0.54, 0.92, "value and change where few have been"
    ),
    _streaming(
        discord, discord.DiscordParams, 0.61, 0.1, "the last points are like no earlier stretch (nearest neighbour)"
    ),
    _streaming(cusum, cusum.CusumParams, 0.54, 0.54, "a lasting change of level, by cumulated deviations"),
    _streaming(
        shift, shift.ShiftParams, 0.41, 1.05, "the last values off what is expected now, and those before them not"
    ),
    _streaming(stuck, stuck.StuckParams, 1.0, 0.0, "a value that freezes: the same for longer than it ever is"),
    _of_one(
        RobustZ,
        RobustZParams,
        "deviations",
        "off a running median, in deviations, not calibrated: the detector of the first rules",
    ),
    _of_one(Level, LevelParams, "multiples", "towards a fixed limit, in multiples of it"),
    _of_one(
        Ceiling,
        CeilingParams,
        "multiples",
        "above a running high quantile, for values that jump about and are high now and then",
    ),
    _of_one(Growth, GrowthParams, "score", "rising steadily to a limit, by a robust slope: how sure, and how soon"),
    _of_one(Siblings, SiblingsParams, "deviations", "one series off its baseline when the others of its kind are not"),
    _of_one(Silence, SilenceParams, "multiples", "silent for far longer than ever before"),
    DetectorSpec(
        params=BurnRateParams,
        build=lambda params, features, threshold: BurnRate(features, params, threshold),
        threshold_unit="multiples",
        purpose="an error budget that burns too fast, over a long and a short window at once",
    ),
    DetectorSpec(
        params=IsolationForestParams,
        build=isolation_forest,
        threshold_unit="score",
        purpose="several features of a target off at once (scikit-learn)",
    ),
    DetectorSpec(
        params=EstimatorParams,
        build=estimator_of,
        threshold_unit="score",
        purpose="an estimator of scikit-learn, PyOD or river, named by its class",
    ),
)
DETECTORS: dict[str, DetectorSpec] = {spec.type: spec for spec in _BUILT_IN}
STREAMING = {name: spec for name, spec in DETECTORS.items() if spec.kernel is not None}  # one series by itself


def plugged_in() -> list[PlugIn[DetectorSpec]]:
    """What the entry points `aiops_nb.detectors` of installed packages offer; each is loaded now.

    Examples
    --------
    >>> all(one.name not in DETECTORS for one in plugged_in() if one.spec)
    True
    """
    return with_warnings(DETECTORS)


def spec_named(name: str) -> DetectorSpec:
    """The detector of this type; plug-ins are loaded only if it is not built in.

    Raises
    ------
    ConfigError
        Naming those that exist, and plug-ins that could not be loaded.

    Examples
    --------
    >>> spec_named("level").threshold_unit
    'multiples'
    """
    if name in DETECTORS:
        return DETECTORS[name]
    found = plugged_in()
    usable = {one.name: one.spec for one in found if one.spec is not None}
    if name in usable:
        return usable[name]
    broken = [f"{one.name} of {one.package} ({one.problem})" for one in found if one.problem]
    note = f"; plug-ins not available: {', '.join(broken)}" if broken else ""
    raise ConfigError(f"{unknown('detector', 'a known detector', name, [*DETECTORS, *usable])}{note}")


def spec_of(params: msgspec.Struct) -> DetectorSpec:
    """The detector that these parameters are of.

    Examples
    --------
    >>> spec_of(LevelParams(limit=3.0)).type
    'level'
    """
    spec = DETECTORS.get(name_of(params))
    return spec if spec is not None and type(params) is spec.params else spec_named(name_of(params))


def name_of(params: msgspec.Struct) -> str:
    """The detector that these parameters belong to.

    Examples
    --------
    >>> name_of(faults.FaultsParams())
    'faults'
    """
    return str(params.__struct_config__.tag)


def series_detector(name: str) -> DetectorSpec:
    """The detector of this name, which can walk a series by itself.

    Raises
    ------
    ConfigError
        Naming those that exist.
    """
    spec = DETECTORS.get(name) or next((one.spec for one in plugged_in() if one.name == name), None)
    if spec is None or spec.kernel is None:
        got = f"{name}, which is for alert rules only" if spec is not None else name
        raise ConfigError.at("detector", f"one of {', '.join(STREAMING)}", got)
    return spec


def build_detector(params: msgspec.Struct, features: tuple[str, ...], threshold: float) -> LiveDetector:
    """The live detector that these parameters describe; all but those of several features judge the first.

    Examples
    --------
    >>> build_detector(faults.FaultsParams(timezone="Europe/Berlin"), ("duration_p95_seconds",), threshold=45.0).name
    'faults'
    """
    return spec_of(params).build(params, features, threshold)


def threshold_for(params: msgspec.Struct, false_alarms_per_day: float, interval_seconds: float) -> float:
    """The score that a healthy series exceeds so many times a day, given the interval of its values.

    Warns (`UserWarning`) of a rate that thresholds are not calibrated for, see `rate_warning`.

    Raises
    ------
    ConfigError
        If the scores of this detector have no calibrated rate of false alarms.

    Examples
    --------
    >>> round(threshold_for(faults.FaultsParams(), false_alarms_per_day=0.5, interval_seconds=1.0))
    52
    """
    spec = spec_of(params)
    if spec.scale is None:
        raise ConfigError(f"scores of {spec.type} have no calibrated false-alarm rate; set `threshold`")
    if warning := rate_warning(false_alarms_per_day, interval_seconds):
        warnings.warn(warning, stacklevel=callers_level())
    return spec.scale.threshold(false_alarms_per_day, interval_seconds)


def detectors() -> pd.DataFrame:
    """All detectors that a configuration can name, those of plug-ins included.

    Returns
    -------
    pandas.DataFrame
        By `detector`: `purpose`, `parameters` with their defaults, `threshold_unit` (`score` 0 to 100, `deviations`,
        `multiples`), whether it is `calibrated` (takes `false_alarms_per_day`), the `package` that it is from, and for
        a plug-in that cannot be used its `problem`, else an empty string.

    Examples
    --------
    >>> detectors().loc["default", "purpose"]
    'shape of the last points, new values and change; few alarms'
    >>> detectors().loc["level", "parameters"]
    "limit (required), direction='above'"
    """
    import pandas as pd

    rows: list[tuple[object, ...]] = [_row(spec, OURS) for spec in DETECTORS.values()]
    for one in plugged_in():
        broken = (one.name, "", "", "", False, one.package, one.problem)
        rows.append(broken if one.spec is None else _row(one.spec, one.package))
    columns = ["detector", "purpose", "parameters", "threshold_unit", "calibrated", "package", "problem"]
    return pd.DataFrame(rows, columns=columns).set_index("detector")


def _row(spec: DetectorSpec, package: str) -> tuple[object, ...]:
    parameters = ", ".join(_parameter(field) for field in msgspec.structs.fields(spec.params))
    return spec.type, spec.purpose, parameters, spec.threshold_unit, spec.scale is not None, package, ""


def _parameter(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return f"{field.name} (required)"
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return f"{field.name}={default!r}"

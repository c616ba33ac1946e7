"""Every detector by its name: parameters, what it is for, and how to build one."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.estimators.detector import EstimatorDetector
from aiops_nb.detect.estimators.isolation_forest import ForestDetector, IsolationForestParams, isolation_forest
from aiops_nb.detect.estimators.params import EstimatorParams, estimator_of
from aiops_nb.detect.estimators.river import RiverDetector
from aiops_nb.detect.kernel import Kernel, StreamParams
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
from aiops_nb.detect.score_scale import AlarmLine
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


LiveDetector = (
    RobustZ
    | Level
    | EstimatorDetector
    | ForestDetector
    | RiverDetector
    | Growth
    | Ceiling
    | Siblings
    | Silence
    | BurnRate
    | StreamingDetector
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A detector that one series can be walked by: its arithmetic, parameters, line of alarms, and what it is for."""

    kernel: Kernel
    params: type[StreamParams]
    line: AlarmLine
    purpose: str


def _algorithm(module: ModuleType, params: type[StreamParams], slope: float, offset: float, purpose: str) -> Algorithm:
    return Algorithm(kernel=module.KERNEL, params=params, line=AlarmLine(slope=slope, offset=offset), purpose=purpose)


# Slope and offset: raw score of healthy series, fitted by `python -m benchmarks.detection --alarm-lines`; those of
# `default` and `hybrid` were raised to fit real series too, `stuck` is taken at its word: most series never repeat.
ALGORITHMS: dict[str, Algorithm] = {
    "default": _algorithm(
        default, default.DefaultParams, 0.85, -0.95, "shape of the last points, new values and change; few alarms"
    ),
    "faults": _algorithm(
        faults, faults.FaultsParams, 0.59, 0.13, "faults of services: rare facts, size by the hour, and recent level"
    ),
    "facts": _algorithm(
        facts, facts.FactsParams, 0.66, 0.53, "spikes, bursts and dropouts: value, change and time of day alone"
    ),
    "extremes": _algorithm(
        extremes,
        extremes.ExtremesParams,
        0.59,
        -0.12,
        "faults by size and recent level at this hour and weekday, and beyond what was seen",
    ),
    "hybrid": _algorithm(
        hybrid, hybrid.HybridParams, 0.86, -1.0, "both at once: odd in its context, or a fault by its size"
    ),
    "median": _algorithm(
        median, median.MedianParams, 0.7, 0.34, "robust z: off running medians over a short and a long horizon"
    ),
    "ewma": _algorithm(ewma, ewma.EwmaParams, 0.8, 0.05, "off a moving mean, in moving standard deviations"),
    "iqr": _algorithm(iqr, iqr.IqrParams, 0.66, 0.37, "beyond running quartiles, in distances between them"),
    "seasonal": _algorithm(
        seasonal,
        seasonal.SeasonalParams,
        0.61,
        0.53,
        "off the level expected at this time of day and hour of the week",
    ),
    "half_space_trees": _algorithm(
        half_space_trees, half_space_trees.HalfSpaceTreesParams, 0.54, 0.92, "value and change where few have been"
    ),
    "discord": _algorithm(
        discord, discord.DiscordParams, 0.61, 0.1, "the last points are like no earlier stretch (nearest neighbour)"
    ),
    "cusum": _algorithm(cusum, cusum.CusumParams, 0.54, 0.54, "a lasting change of level, by cumulated deviations"),
    "shift": _algorithm(
        shift, shift.ShiftParams, 0.41, 1.05, "the last values off what is expected now, and those before them not"
    ),
    "stuck": _algorithm(
        stuck, stuck.StuckParams, 1.0, 0.0, "a value that freezes: the same for longer than it ever is"
    ),
}


# Those that cannot walk one series alone, or whose score is not calibrated: for rules only.
FOR_RULES: dict[str, tuple[type[msgspec.Struct], str]] = {
    "robust_z": (RobustZParams, "off a running median, in deviations, not calibrated: the first rules' detector"),
    "level": (LevelParams, "towards a fixed limit, in multiples of it"),
    "ceiling": (CeilingParams, "above a running high quantile, for what jumps about and is high now and then"),
    "growth": (GrowthParams, "rising steadily to a limit, by a robust slope: how sure, and how soon"),
    "siblings": (SiblingsParams, "one series off its baseline when the others of its kind are not off theirs"),
    "silence": (SilenceParams, "silent for far longer than ever before"),
    "burn_rate": (BurnRateParams, "an error budget that burns too fast, over a long and a short window at once"),
    "isolation_forest": (IsolationForestParams, "several features of a target off at once (scikit-learn)"),
    "estimator": (EstimatorParams, "any estimator of scikit-learn, PyOD or river, named by its class"),
}


def algorithm(name: str) -> Algorithm:
    """The algorithm of this name.

    Raises
    ------
    ConfigError
        Naming those that exist.
    """
    if name not in ALGORITHMS:
        known = f"{name}, which judges in alert rules only" if name in FOR_RULES else name
        raise ConfigError.at("detector", f"one of {', '.join(ALGORITHMS)}", known)
    return ALGORITHMS[name]


def name_of(params: StreamParams) -> str:
    """The algorithm that these parameters belong to.

    Examples
    --------
    >>> name_of(faults.FaultsParams())
    'faults'
    """
    return str(params.__struct_config__.tag)


def build_detector(params: DetectorParams, features: tuple[str, ...], threshold: float) -> LiveDetector:
    """The live detector that these parameters describe; all but those of several features judge the first.

    Examples
    --------
    >>> build_detector(faults.FaultsParams(timezone="Europe/Berlin"), ("duration_p95_seconds",), threshold=45.0).name
    'faults'
    """
    if isinstance(params, RobustZParams):
        return RobustZ(features[0], params, threshold)
    if isinstance(params, LevelParams):
        return Level(features[0], params, threshold)
    if isinstance(params, IsolationForestParams):
        return isolation_forest(params, features, threshold)
    if isinstance(params, EstimatorParams):
        return estimator_of(params, features, threshold)
    if isinstance(params, CeilingParams):
        return Ceiling(features[0], params, threshold)
    if isinstance(params, GrowthParams):
        return Growth(features[0], params, threshold)
    if isinstance(params, SiblingsParams):
        return Siblings(features[0], params, threshold)
    if isinstance(params, SilenceParams):
        return Silence(features[0], params, threshold)
    if isinstance(params, BurnRateParams):
        return BurnRate(features, params, threshold)
    name = name_of(params)
    return StreamingDetector(name, features[0], ALGORITHMS[name].kernel, params, threshold)


def threshold_for(params: StreamParams, false_alarms_per_day: float, interval_seconds: float) -> float:
    """The score from which on healthy series alarm so many times a day, given the distance of their values.

    Examples
    --------
    >>> round(threshold_for(faults.FaultsParams(), false_alarms_per_day=0.5, interval_seconds=1.0))
    52
    """
    return ALGORITHMS[name_of(params)].line.threshold(false_alarms_per_day, interval_seconds)


def detectors() -> pd.DataFrame:
    """All detectors: name, what each is for, and its parameters with their defaults.

    Examples
    --------
    >>> detectors().loc["default", "purpose"]
    'shape of the last points, new values and change; few alarms'
    >>> detectors().loc["level", "parameters"]
    "limit (must be given), direction='above'"
    """
    import pandas as pd

    rows = [(name, one.purpose, _told(one.params)) for name, one in ALGORITHMS.items()]
    rows += [(name, purpose, _told(params)) for name, (params, purpose) in FOR_RULES.items()]
    return pd.DataFrame(rows, columns=["detector", "purpose", "parameters"]).set_index("detector")


def _told(params: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(params)
    given = [one.default if one.default_factory is msgspec.NODEFAULT else one.default_factory() for one in fields]
    told = [" (must be given)" if value is msgspec.NODEFAULT else f"={value!r}" for value in given]
    return ", ".join(one.name + words for one, words in zip(fields, told, strict=True))

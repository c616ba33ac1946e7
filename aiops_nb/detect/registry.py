"""Every detector by its name: parameters, what it is for, and how to build one."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect import (
    cusum,
    discord,
    ewma,
    extremes,
    faults,
    half_space_trees,
    hybrid,
    iqr,
    median,
    seasonal,
    unusual,
)
from aiops_nb.detect.kernels import Kernel, StreamParams
from aiops_nb.detect.level import Level, LevelParams
from aiops_nb.detect.robust_z import RobustZ, RobustZParams
from aiops_nb.detect.scale import AlarmLine
from aiops_nb.detect.streaming import StreamingDetector

if TYPE_CHECKING:
    import pandas as pd

DetectorParams = (
    RobustZParams
    | LevelParams
    | unusual.UnusualParams
    | faults.FaultsParams
    | extremes.ExtremesParams
    | hybrid.HybridParams
    | median.MedianParams
    | ewma.EwmaParams
    | iqr.IqrParams
    | seasonal.SeasonalParams
    | half_space_trees.HalfSpaceTreesParams
    | discord.DiscordParams
    | cusum.CusumParams
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


# Slope and offset: strangeness of healthy series, fitted by `python -m benchmarks.detection --alarm-lines`; that of
# `default` was raised to fit real series too.
ALGORITHMS: dict[str, Algorithm] = {
    "default": _algorithm(
        unusual,
        unusual.UnusualParams,
        0.85,
        -0.95,
        "unusual context, few alarms: shape, new values, change",
    ),
    "faults": _algorithm(
        faults, faults.FaultsParams, 0.66, 0.53, "spikes, bursts and dropouts: value, change and time of day"
    ),
    "extremes": _algorithm(
        extremes, extremes.ExtremesParams, 0.9, -0.89, "faults that go beyond what was ever seen: value, change, range"
    ),
    "hybrid": _algorithm(
        hybrid, hybrid.HybridParams, 0.76, -0.75, "the parts of both, an alarm as likely after a year as on day two"
    ),
    "median": _algorithm(
        median, median.MedianParams, 0.7, 0.34, "robust z: off running medians over a short and a long horizon"
    ),
    "ewma": _algorithm(ewma, ewma.EwmaParams, 0.8, 0.05, "off a moving mean, in moving standard deviations"),
    "iqr": _algorithm(iqr, iqr.IqrParams, 0.66, 0.37, "beyond running quartiles, in distances between them"),
    "seasonal": _algorithm(
        seasonal, seasonal.SeasonalParams, 0.62, 0.5, "off what is usual at this time of the day and hour of the week"
    ),
    "half_space_trees": _algorithm(
        half_space_trees, half_space_trees.HalfSpaceTreesParams, 0.54, 0.92, "value and change where few have been"
    ),
    "discord": _algorithm(
        discord, discord.DiscordParams, 0.61, 0.1, "the last points are like no earlier stretch (nearest neighbour)"
    ),
    "cusum": _algorithm(cusum, cusum.CusumParams, 0.54, 0.54, "a lasting change of level, by cumulated deviations"),
}


def algorithm(name: str) -> Algorithm:
    """The algorithm of this name.

    Raises
    ------
    ConfigError
        Naming those that exist.
    """
    if name not in ALGORITHMS:
        raise ConfigError.at("detector", f"one of {', '.join(ALGORITHMS)}", name)
    return ALGORITHMS[name]


def name_of(params: StreamParams) -> str:
    """The algorithm that these parameters belong to.

    Examples
    --------
    >>> name_of(faults.FaultsParams())
    'faults'
    """
    return str(params.__struct_config__.tag)


def build_detector(
    params: DetectorParams, features: tuple[str, ...], threshold: float
) -> RobustZ | Level | StreamingDetector:
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
    name = name_of(params)
    return StreamingDetector(name, features[0], ALGORITHMS[name].kernel, params, threshold)


def threshold_for(params: StreamParams, false_alarms_per_day: float, interval_seconds: float) -> float:
    """The score from which on healthy series alarm so many times a day, given the distance of their values.

    Examples
    --------
    >>> round(threshold_for(faults.FaultsParams(), false_alarms_per_day=0.5, interval_seconds=1.0))
    57
    """
    return ALGORITHMS[name_of(params)].line.threshold(false_alarms_per_day, interval_seconds)


def detectors() -> pd.DataFrame:
    """All detectors: name, what each is for, and its parameters with their defaults.

    Examples
    --------
    >>> detectors().loc["default", "purpose"]
    'unusual context, few alarms: shape, new values, change'
    """
    import pandas as pd

    rows = [(name, one.purpose, _told(one.params)) for name, one in ALGORITHMS.items()]
    return pd.DataFrame(rows, columns=["detector", "purpose", "parameters"]).set_index("detector")


def _told(params: type[StreamParams]) -> str:
    defaults = msgspec.structs.asdict(params())
    return ", ".join(f"{name}={value!r}" for name, value in defaults.items())

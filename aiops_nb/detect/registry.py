"""Every detector by its name: parameters, what it is for, and how to build one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Detector
from aiops_nb.detect import faults, unusual
from aiops_nb.detect.kernels import Kernel, StreamParams
from aiops_nb.detect.robust_z import RobustZ, RobustZParams
from aiops_nb.detect.scale import AlarmLine
from aiops_nb.detect.streaming import StreamingDetector

if TYPE_CHECKING:
    import pandas as pd

DetectorParams = RobustZParams | unusual.UnusualParams | faults.FaultsParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A detector that one series can be walked by: its arithmetic, parameters, line of alarms, and what it is for."""

    kernel: Kernel
    params: type[StreamParams]
    line: AlarmLine
    purpose: str


ALGORITHMS: dict[str, Algorithm] = {
    "default": Algorithm(
        kernel=unusual.KERNEL,
        params=unusual.UnusualParams,
        line=AlarmLine(slope=0.83, offset=-0.8),
        purpose="unusual context, few alarms: shape of the last points, values never seen, value and change",
    ),
    "faults": Algorithm(
        kernel=faults.KERNEL,
        params=faults.FaultsParams,
        line=AlarmLine(slope=0.83, offset=-0.8),
        purpose="spikes, bursts and dropouts: value, change and time of day against their own past",
    ),
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


def build_detector(params: DetectorParams, feature: str, threshold: float) -> Detector:
    """The live detector that these parameters describe.

    Examples
    --------
    >>> build_detector(faults.FaultsParams(timezone="Europe/Berlin"), "duration_p95_seconds", threshold=45.0).name
    'faults'
    """
    if isinstance(params, RobustZParams):
        return RobustZ(feature, params, threshold)
    name = name_of(params)
    return StreamingDetector(name, feature, ALGORITHMS[name].kernel, params, threshold)


def detectors() -> pd.DataFrame:
    """All detectors: name, what each is for, and its parameters with their defaults.

    Examples
    --------
    >>> detectors().loc["default", "purpose"]
    'unusual context, few alarms: shape of the last points, values never seen, value and change'
    """
    import pandas as pd

    rows = [(name, one.purpose, _told(one.params)) for name, one in ALGORITHMS.items()]
    return pd.DataFrame(rows, columns=["detector", "purpose", "parameters"]).set_index("detector")


def _told(params: type[StreamParams]) -> str:
    defaults = msgspec.structs.asdict(params())
    return ", ".join(f"{name}={value!r}" for name, value in defaults.items())

"""What the package knows of a detector: its parameters, how one is built, and what its threshold means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Detector
from aiops_nb.detect.kernel import Kernel, StreamParams
from aiops_nb.detect.score_scale import AlarmLine

ThresholdUnit = Literal["score", "deviations", "multiples"]
UNITS: dict[str, str] = {
    "score": "a score from 0 to 100",
    "deviations": "robust standard deviations",
    "multiples": "multiples of the detector's own limit",
}
TAG_FIELD = "type"


class LiveDetector(Detector, Protocol):
    """A detector with a threshold, which a rule may move while it runs: the drawn band ends there."""

    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
    """A detector that a configuration can name by its `type`.

    A plug-in offers one as an entry point of the group `aiops_nb.detectors`.

    Parameters
    ----------
    params
        A frozen `msgspec.Struct` with `tag_field="type"`; its `tag` is the `type`. `StreamParams` is a base for it.
    build
        `(params, features, threshold) -> LiveDetector`: a new live detector of these features of a table.
    threshold_unit
        What `threshold` counts: `score` (0 to 100), `deviations`, or `multiples` of the detector's own limit.
    purpose
        What it finds, in one line.
    scale
        How its scores on healthy series relate to a rate of false alarms. None: not calibrated, so that a rule needs a
        `threshold` and cannot have `false_alarms_per_day`.
    kernel
        Its arithmetic, if a series can be walked by it alone: `score_series` takes these by name.

    Raises
    ------
    ConfigError
        Naming the field that is wrong.

    Examples
    --------
    >>> class JumpParams(msgspec.Struct, frozen=True, tag_field="type", tag="jump"):
    ...     most: float = 1.0
    >>> def build(params, features, threshold):
    ...     raise NotImplementedError
    >>> DetectorSpec(params=JumpParams, build=build, threshold_unit="multiples", purpose="Jumps of a value").type
    'jump'
    """

    params: type[msgspec.Struct]
    build: Callable[[Any, tuple[str, ...], float], LiveDetector]
    threshold_unit: ThresholdUnit
    purpose: str
    scale: AlarmLine | None = None
    kernel: Kernel | None = None

    def __post_init__(self) -> None:
        is_struct = isinstance(self.params, type) and issubclass(self.params, msgspec.Struct)
        config = self.params.__struct_config__ if is_struct else None
        if config is None or config.tag_field != TAG_FIELD or not isinstance(config.tag, str) or not config.frozen:
            raise ConfigError.at("params", "a frozen msgspec.Struct with tag_field='type' and a tag", self.params)
        if not callable(self.build):
            raise ConfigError.at("build", "a callable (params, features, threshold)", self.build)
        if self.threshold_unit not in UNITS:
            raise ConfigError.at("threshold_unit", f"one of {', '.join(UNITS)}", self.threshold_unit)
        if not (isinstance(self.purpose, str) and self.purpose):
            raise ConfigError.at("purpose", "what it finds, in one line", self.purpose)
        if self.kernel is not None and not issubclass(self.params, StreamParams):
            raise ConfigError.at("params", "a subclass of StreamParams, for a detector with a kernel", self.params)
        if self.scale is not None and self.threshold_unit != "score":
            raise ConfigError.at("scale", "none, for a threshold that is not a score", self.scale)

    @property
    def type(self) -> str:
        """The name in a configuration."""
        return str(self.params.__struct_config__.tag)

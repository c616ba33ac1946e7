"""The detectors of one series as an anomaly detector of river."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from aiops_nb.core.errors import ConfigError, MissingExtraError
from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.registry import build_detector, series_detector
from aiops_nb.detect.score_scale import fused_score

try:
    from river.base import AnomalyDetector
except ImportError:
    raise MissingExtraError("StreamDetector", "detect") from None

STEP_NS = 300 * 10**9  # distance of two points where none is given: the shortest that has a time of day of its own


class StreamDetector(AnomalyDetector):
    """A detector of aiops_nb in river's shape: each feature of `x` is a series, each call the next moment.

    Several features are fused by the mean of the three largest raw scores. Features may appear and disappear; a value
    that is no finite number is not known. Everything that `learn_one` is given is learned. Cost: one numpy call of all
    features, 0.1 to 1 ms.

    Parameters
    ----------
    detector
        Name of a detector that `aiops_nb.detectors()` lists and that can walk one series.
    parameters
        Its parameters, by name; None: the defaults. With `interval_seconds`, points so far apart have a time of day.

    Raises
    ------
    ConfigError
        If there is no such detector, or it does not take these parameters.
    MissingExtraError
        On import, without river.

    Examples
    --------
    >>> model = StreamDetector("faults")
    >>> for number in range(200):
    ...     model.learn_one({"wait_seconds": 0.1 + 0.01 * (number % 7)})
    >>> [round(model.score_one({"wait_seconds": seconds})) for seconds in (0.14, 5.0)]
    [4, 72]
    """

    def __init__(self, detector: str = "default", parameters: Mapping[str, Any] | None = None) -> None:
        self.detector = detector
        self.parameters = parameters
        spec = series_detector(detector)
        try:
            params = msgspec.convert(dict(parameters or {}), spec.params)
        except (msgspec.ValidationError, TypeError, ValueError) as problem:
            raise ConfigError.at("parameters", f"those of {detector}", str(problem)) from None
        self._live = build_detector(params, ("value",), 50.0)
        self._step_ns = round(getattr(params, "interval_seconds", None) or STEP_NS / 1e9) * 10**9
        self._seen: dict[Any, int] = {}
        self._learned = 0

    def learn_one(self, x: Mapping[Any, Any]) -> None:
        """Learn the values of the features.

        Parameters
        ----------
        x
            Numbers by feature.
        """
        for name in x:
            self._seen.setdefault(name, len(self._seen))
        table = self._table(x)
        self._live.learn(table, np.ones(len(table.series), np.bool_))
        self._learned += 1

    def score_one(self, x: Mapping[Any, Any]) -> float:
        """Score from 0 to 100, larger = more anomalous; 0.0 while warming up, as river's models have it.

        Parameters
        ----------
        x
            Numbers by feature; those never learned are ignored.

        Returns
        -------
        float
            The score.
        """
        if not self._seen:
            return 0.0
        return fused_score(self._live.score(self._table(x)).score)

    def _table(self, x: Mapping[Any, Any]) -> FeatureTable:
        values = np.full((1, len(self._seen)), np.nan)
        for name, value in x.items():
            if name in self._seen:
                values[0, self._seen[name]] = _number(value)
        keys = tuple(SeriesKey(str(name)) for name in self._seen)
        return FeatureTable("samples", (self._learned + 1) * self._step_ns, keys, ("value",), values)

    @classmethod
    def _unit_test_params(cls) -> Any:
        yield {"detector": "default"}
        yield {"detector": "faults"}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan

"""An estimator of scikit-learn, PyOD or river named by a rule, so that it runs live, is recorded, and replays."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.estimators.adapter import as_detector
from aiops_nb.detect.estimators.detector import EstimatorDetector
from aiops_nb.detect.estimators.known import check_estimator
from aiops_nb.detect.estimators.river import RiverDetector

INSTALLED_BY = {"sklearn": "aiops-nb[detect]", "pyod": "pyod", "river": "aiops-nb[detect]"}
Plain = bool | int | float | str | None
Nested = list[object] | dict[str, object]
HOLD_OTHERS = frozenset(
    {
        "anomaly_detector",
        "base_estimator",
        "base_estimators",
        "detector_list",
        "detectors",
        "estimator",
        "estimator_list",
        "estimators",
        "steps",
        "transformer_list",
        "transformers",
    }
)
IN_PYTHON = "(pipelines, and what else holds other estimators, are for aiops_nb.as_detector in Python)"


class EstimatorParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="estimator", tag_field="type"):
    """Parameters of any estimator over the features of a rule; what `as_detector` takes, as data.

    Attributes
    ----------
    estimator
        Dotted name of a known class in scikit-learn, PyOD or river, such as `pyod.models.ecod.ECOD`; `ESTIMATORS` of
        `aiops_nb.detect.estimators.known` lists them. A configuration is data: `as_detector` takes any other estimator,
        and pipelines, in Python.
    parameters
        Of the class: numbers, named choices, true, false, null. What is unseeded is seeded.
    refit_seconds
        How often one that is fitted is fitted again.
    """

    estimator: str | Nested
    parameters: dict[str, Plain | Nested] = {}
    refit_seconds: Annotated[float, Meta(gt=0)] = 21_600.0

    def __post_init__(self) -> None:
        if not isinstance(self.estimator, str):
            raise ConfigError(f"estimator: expected the name of one class {IN_PYTHON}, got {_shown(self.estimator)}")
        for name, value in self.parameters.items():
            if name in HOLD_OTHERS and value is not None:
                raise ConfigError(f"parameters.{name}: expected to be left out {IN_PYTHON}, got {_shown(value)}")
            if isinstance(value, (list, dict)):
                wanted = "a number, a string, true, false or null"
                raise ConfigError(f"parameters.{name}: expected {wanted}, got {_shown(value)}")


def estimator_of(
    params: EstimatorParams, features: tuple[str, ...], threshold: float
) -> EstimatorDetector | RiverDetector:
    """The estimator as a live detector, see `as_detector`.

    Raises
    ------
    ConfigError
        If there is no such class, it cannot be made with these parameters, or it is no estimator.

    Examples
    --------
    >>> params = EstimatorParams(estimator="sklearn.svm.OneClassSVM", parameters={"nu": 0.1})
    >>> estimator_of(params, ("rate_hz", "error_ratio"), threshold=60.0).name
    'one_class_svm'
    """
    try:
        made, most = _made(params), min(threshold, 100.0)  # one above is silence, which tuning tries as well
        return as_detector(made, features=features, refit=params.refit_seconds, threshold=most)
    except ConfigError as problem:
        raise ConfigError(f"detector.{problem}") from None


def _made(params: EstimatorParams) -> Any:
    dotted = str(params.estimator)
    check_estimator(dotted, params.parameters)
    try:
        return _class_of(dotted)(**params.parameters)
    except (TypeError, ValueError) as problem:
        raise ConfigError.at("parameters", f"those of {dotted}", str(problem)) from None


def _shown(value: object) -> str:
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else repr(value)


def _class_of(dotted: str) -> Any:
    """The class, which `ESTIMATORS` names."""
    module, _, name = dotted.rpartition(".")
    root = module.partition(".")[0]
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        expected = f"an installed package (pip install '{INSTALLED_BY[root]}')"
        raise ConfigError.at("estimator", expected, dotted) from None

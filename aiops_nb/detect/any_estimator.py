"""An estimator of scikit-learn, PyOD or river named by a rule, so that it runs live, is recorded, and replays."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.estimator_detector import EstimatorDetector
from aiops_nb.detect.estimators import as_detector
from aiops_nb.detect.river_detector import RiverDetector

INSTALLED_BY = {"sklearn": "aiops-nb[detect]", "pyod": "pyod", "river": "river"}
Plain = bool | int | float | str | None


class EstimatorParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="estimator", tag_field="type"):
    """Parameters of any estimator over the features of a rule; what `as_detector` takes, as data.

    Attributes
    ----------
    estimator
        Dotted name of its class in scikit-learn, PyOD or river, such as `pyod.models.ecod.ECOD`. No other package is
        looked into: a config, and the recording that holds it, is data.
    parameters
        Of the class: numbers, texts, true, false, null. What is unseeded is seeded.
    refit_seconds
        How often one that is fitted is fitted again.
    """

    estimator: str
    parameters: dict[str, Plain] = {}
    refit_seconds: Annotated[float, Meta(gt=0)] = 21_600.0


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
    kind = _class_of(params.estimator)
    try:
        estimator = kind(**params.parameters)
    except (TypeError, ValueError) as problem:
        raise ConfigError.at("parameters", f"those of {params.estimator}", str(problem)) from None
    return as_detector(estimator, features=features, refit=params.refit_seconds, threshold=threshold)


def _class_of(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    root = module.partition(".")[0]
    if root not in INSTALLED_BY:
        raise ConfigError.at("estimator", f"a class of {', '.join(INSTALLED_BY)}", dotted)
    try:
        import_module(root)
    except ImportError:
        raise ConfigError.at(
            "estimator", f"an installed package (pip install '{INSTALLED_BY[root]}')", dotted
        ) from None
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        found = None
    if not isinstance(found, type) or found.__module__.partition(".")[0] != root:
        raise ConfigError.at("estimator", f"the dotted name of a class of {root}", dotted)
    return found

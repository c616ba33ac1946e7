"""The estimators that a configuration may name, and what their parameters may be: numbers, choices, true and false.

A configuration is data, and may come from somebody else. Other classes of these libraries read files, load code or open
connections when they are made; `aiops_nb.as_detector` takes any of them in Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from aiops_nb.core.errors import ConfigError, unknown

IN_PYTHON = "(any other estimator: aiops_nb.as_detector in Python)"

_NEAREST = "n_neighbors algorithm leaf_size metric p contamination novelty"
_SVM = "kernel degree gamma coef0 tol nu shrinking max_iter"
_MIXTURE = "n_components covariance_type tol reg_covar max_iter n_init init_params random_state"
_FOREST = "n_estimators max_samples contamination max_features bootstrap random_state"
_COVARIANCE = "store_precision assume_centered support_fraction contamination random_state"
ESTIMATORS: dict[str, frozenset[str]] = {
    name: frozenset(parameters.split())
    for name, parameters in {
        "sklearn.covariance.EllipticEnvelope": _COVARIANCE,
        "sklearn.ensemble.IsolationForest": _FOREST,
        "sklearn.linear_model.SGDOneClassSVM": (
            "nu fit_intercept max_iter tol shuffle learning_rate eta0 power_t average random_state"
        ),
        "sklearn.mixture.BayesianGaussianMixture": f"{_MIXTURE} weight_concentration_prior_type",
        "sklearn.mixture.GaussianMixture": _MIXTURE,
        "sklearn.neighbors.KernelDensity": "bandwidth algorithm kernel metric atol rtol breadth_first leaf_size",
        "sklearn.neighbors.LocalOutlierFactor": _NEAREST,
        "sklearn.svm.OneClassSVM": _SVM,
        "pyod.models.abod.ABOD": "contamination n_neighbors method algorithm leaf_size metric p",
        "pyod.models.cof.COF": "contamination n_neighbors method",
        "pyod.models.copod.COPOD": "contamination",
        "pyod.models.ecod.ECOD": "contamination",
        "pyod.models.gmm.GMM": f"{_MIXTURE} contamination",
        "pyod.models.hbos.HBOS": "n_bins alpha tol contamination",
        "pyod.models.iforest.IForest": _FOREST,
        "pyod.models.inne.INNE": "n_estimators max_samples contamination random_state",
        "pyod.models.kde.KDE": "contamination bandwidth algorithm leaf_size metric",
        "pyod.models.knn.KNN": "contamination n_neighbors method radius algorithm leaf_size metric p",
        "pyod.models.loda.LODA": "contamination n_bins n_random_cuts random_state",
        "pyod.models.lof.LOF": _NEAREST,
        "pyod.models.mcd.MCD": _COVARIANCE,
        "pyod.models.ocsvm.OCSVM": f"{_SVM} contamination",
        "pyod.models.pca.PCA": (
            "n_components n_selected_components contamination whiten svd_solver tol iterated_power random_state"
            " weighted standardization"
        ),
        "river.anomaly.HalfSpaceTrees": "n_trees height window_size seed",
        "river.anomaly.LODA": "n_bins n_random_cuts seed",
        "river.anomaly.LocalOutlierFactor": "n_neighbors",
        "river.anomaly.OneClassSVM": "nu intercept_lr clip_gradient",
    }.items()
}
CHOICES: dict[str, str] = {
    "algorithm": "auto ball_tree kd_tree brute",
    "bandwidth": "scott silverman",
    "contamination": "auto",
    "covariance_type": "full tied diag spherical",
    "gamma": "scale auto",
    "init_params": "kmeans k-means++ random random_from_data",
    "iterated_power": "auto",
    "kernel": "linear poly rbf sigmoid gaussian tophat epanechnikov exponential cosine",
    "learning_rate": "constant optimal invscaling adaptive",
    "max_samples": "auto",
    "method": "fast default memory largest mean median",
    "metric": "minkowski euclidean manhattan chebyshev cityblock l1 l2",
    "n_bins": "auto",
    "n_components": "mle",
    "svd_solver": "auto full arpack randomized",
    "weight_concentration_prior_type": "dirichlet_process dirichlet_distribution",
}
# Memory or time grows with these; a forest of a million trees would take a machine down.
LARGEST: dict[str, float] = {
    "degree": 10,
    "height": 15,
    "iterated_power": 100,
    "leaf_size": 10_000,
    "max_iter": 100_000,
    "max_samples": 10_000,
    "n_bins": 1_000,
    "n_components": 200,
    "n_estimators": 2_000,
    "n_init": 100,
    "n_neighbors": 1_000,
    "n_random_cuts": 2_000,
    "n_trees": 1_000,
    "random_state": 2**32 - 1,
    "seed": 2**32 - 1,
    "window_size": 100_000,
}
LARGEST_OF_OTHERS = 1e15


def check_estimator(dotted: str, parameters: Mapping[str, object]) -> None:
    """Raise unless the class is one of `ESTIMATORS`, and each parameter is known and within its limits.

    Nothing is imported.

    Parameters
    ----------
    dotted
        Name of the class, such as `pyod.models.ecod.ECOD`.
    parameters
        By name.

    Raises
    ------
    ConfigError
        Naming the field, what was expected and what was given.

    Examples
    --------
    >>> check_estimator("sklearn.svm.OneClassSVM", {"kernel": "rbf", "nu": 0.1})
    >>> check_estimator("sklearn.svm.OneClassSVM", {"kernel": "/tmp/a.so"})
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: parameters.kernel: expected a number, true, false, null or one of linear, ...
    """
    if dotted not in ESTIMATORS:
        raise unknown("estimator", f"a known estimator {IN_PYTHON}", dotted, ESTIMATORS)
    for name, value in parameters.items():
        if name not in ESTIMATORS[dotted]:
            raise unknown(f"parameters.{name}", f"a parameter of {dotted} {IN_PYTHON}", name, ESTIMATORS[dotted])
        _check_value(name, value)


def _check_value(name: str, value: object) -> None:
    choices = CHOICES.get(name, "").split()
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value in choices):
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        named = f" or one of {', '.join(choices)}" if choices else ""
        raise ConfigError.at(f"parameters.{name}", f"a number, true, false, null{named}", value)
    most = LARGEST.get(name, LARGEST_OF_OTHERS)
    if not math.isfinite(value) or abs(value) > most:
        raise ConfigError.at(f"parameters.{name}", f"a number of at most {most:g}", value)

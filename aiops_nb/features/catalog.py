"""DataFrames of rows, features, scores and alerts: UTC times, units in the column names."""

from __future__ import annotations

from aiops_nb.core.types import FeatureTableName
from aiops_nb.features.clients.table import CLIENT_FEATURES
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.features import REQUEST_FEATURES, request_features
from aiops_nb.features.requests.objectives import OBJECTIVE_FEATURES
from aiops_nb.features.requests.overall import OVERALL_FEATURES
from aiops_nb.features.samples.features import sample_features

FEATURES: dict[FeatureTableName, tuple[str, ...]] = {
    "requests": REQUEST_FEATURES,
    "overall": OVERALL_FEATURES,
    "slo": OBJECTIVE_FEATURES,
    "samples": sample_features(WindowParams().horizons_seconds),
    "clients": CLIENT_FEATURES,
}


def feature_names(table: str, window: WindowParams) -> tuple[str, ...] | None:
    """Features of a table under these windows: moving statistics follow the horizons. None: no such table.

    Examples
    --------
    >>> feature_names("samples", WindowParams(horizons_seconds=(1800.0,)))[-1]
    'std_1800s'
    """
    if table == "samples":
        return sample_features(window.horizons_seconds)
    if table == "requests":
        return request_features(window.horizons_seconds)
    return next((names for name, names in FEATURES.items() if name == table), None)

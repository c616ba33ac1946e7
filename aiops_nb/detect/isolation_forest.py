"""Feature vectors that few random cuts set apart (Liu, Ting and Zhou 2008; scikit-learn), or rare in a column."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

from msgspec import Meta, Struct

from aiops_nb.core.errors import MissingExtraError
from aiops_nb.detect.forest_detector import ForestDetector


class IsolationForestParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="isolation_forest", tag_field="type"
):
    """Parameters of the forest over the features of a rule.

    Attributes
    ----------
    trees
        Of at most 256 vectors each. More are steadier; scoring 10,000 vectors costs about 0.4 ms a tree.
    refit_seconds
        How often the forest is grown anew from a sample of the vectors since the last time.
    seed
        Of the sample and of the cuts.
    relearn_ticks
        Vectors on end that may be kept from learning because they were anomalous; then the new level is accepted.
    relearn_seconds
        The same in time since the first of them, if there were ten at least; whichever comes first.
    """

    trees: Annotated[int, Meta(ge=1, le=1000)] = 100
    refit_seconds: Annotated[float, Meta(gt=0)] = 21_600.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    relearn_ticks: Annotated[int, Meta(ge=0)] = 300
    relearn_seconds: Annotated[float, Meta(gt=0)] = 3600.0


def isolation_forest(params: IsolationForestParams, features: tuple[str, ...], threshold: float) -> ForestDetector:
    """The forest as a live detector of the vectors of all series: one batch a tick, see `ForestDetector`.

    Raises
    ------
    MissingExtraError
        Without scikit-learn.

    Examples
    --------
    >>> isolation_forest(IsolationForestParams(), ("rate_hz", "error_ratio"), threshold=60.0).features
    ('rate_hz', 'error_ratio')
    """
    try:
        ensemble: Any = import_module("sklearn.ensemble")
    except ImportError:
        raise MissingExtraError("isolation forests", "detect") from None
    return ForestDetector(
        ensemble.IsolationForest(n_estimators=params.trees, random_state=params.seed),
        features,
        refit_seconds=params.refit_seconds,
        threshold=threshold,
        seed=params.seed,
        relearn_ticks=params.relearn_ticks,
        relearn_seconds=params.relearn_seconds,
    )

"""How fast an error budget burns, over a short and a long window at once."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.types import BoolArray, FeatureTable, Scores
from aiops_nb.detect.limits.compiled import Compiled


class BurnRateParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="burn_rate", tag_field="type"):
    """Parameters of `BurnRate`.

    Attributes
    ----------
    objective_ratio
        Share of requests that must be good, such as 0.999; what it leaves is the error budget.
    min_count
        Requests in the long window below which nothing is judged: two errors of five requests are no trend.
    min_errors
        Errors in the long window below which the budget is not burning, whatever the share.
    """

    objective_ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.999
    min_count: Annotated[int, Meta(ge=1)] = 100
    min_errors: Annotated[int, Meta(ge=0)] = 5


class BurnRate:
    """Error ratio as a multiple of the error budget, the smaller one of a long and a short window.

    1 burns the budget of a period in exactly that period. The long window says that it matters, the short one that it
    still goes on (multiwindow, multi-burn-rate alerts; The Site Reliability Workbook, 2018, chapter 5). NaN while a
    window has not enough history, or the long one not enough requests. Cost O(n) a tick, nothing is learned.

    Parameters
    ----------
    features
        Error ratio over the long window, over the short window, and requests in the long window, in this order.
    params
        See `BurnRateParams`.
    threshold
        Burn rate at which the band ends.

    Examples
    --------
    >>> from aiops_nb.core.types import SeriesKey
    >>> names = ("error_ratio_3600s", "error_ratio_300s", "request_count_3600s")
    >>> table = FeatureTable("slo", 0, (SeriesKey("*"),), names, np.array([[0.02], [0.05], [9000.0]]))
    >>> BurnRate(names, BurnRateParams(objective_ratio=0.999), threshold=14.4).score(table).score.round(1).tolist()
    [20.0]
    """

    name = "burn_rate"

    def __init__(self, features: tuple[str, ...], params: BurnRateParams, threshold: float) -> None:
        self.features = features
        self.threshold = threshold
        self._params = params

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table."""
        long, short, count = (table.column(name) for name in self.features)
        budget = 1.0 - self._params.objective_ratio
        burn = np.where(long * count >= self._params.min_errors, np.minimum(long, short) / budget, 0.0)
        known = np.isfinite(long) & np.isfinite(short) & (count >= self._params.min_count)
        unknown = np.full(len(long), np.nan)
        upper = np.full(len(long), self.threshold * budget)
        return Scores(score=np.where(known, burn, np.nan), expected=unknown, lower=unknown, upper=upper)

    def compiled(self, names: tuple[str, ...], count: int) -> Compiled | None:
        """Its parameters as `judge_windows` of the compiled kernel takes them."""
        rows = [names.index(name) for name in self.features[1:]]
        budget = 1.0 - self._params.objective_ratio
        return Compiled("burn_rate", (*rows, budget, self._params.min_count, self._params.min_errors))

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Nothing: the objective is fixed."""

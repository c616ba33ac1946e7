"""What proves an alert of a rule on rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class RowEvidence:
    """The requests of the alert's target and origin."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = requests()
        rows = rows[rows["target"] == alert["target"]]
        own: pd.DataFrame = rows[rows["origin"] == alert["origin"]]
        return own

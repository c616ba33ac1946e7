"""What proves an alert of a rule on features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class FeatureEvidence:
    """The scores of the alert's rule and series, with the expected band."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = scores()
        for label in ("alertname", "target", "origin", "metric"):
            rows = rows[rows[label] == alert[label]]
        return rows

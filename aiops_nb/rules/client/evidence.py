"""What proves an alert of a rule on clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aiops_nb.core.types import ALL_TARGETS, OTHER
from aiops_nb.features.clients.keys import rows_of_client

if TYPE_CHECKING:
    import pandas as pd


class ClientEvidence:
    """The requests of the alert's client, at its target; of a flood of many clients those of all."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = requests()
        rows = rows[(rows["origin"] == "traffic") & rows["client_ip"].notna()]
        if alert["target"] != ALL_TARGETS:
            rows = rows[rows["target"] == alert["target"]]
        if alert["client"] not in ("", OTHER):
            rows = rows[rows_of_client(pa.array(rows["client_ip"], pa.string()), alert["client"])]
        return rows

"""What proves an alert of a rule on messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def message_rows(alert: Mapping[str, Any] | pd.Series, messages: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The messages of the alert's target; `messages` gives those of the time in question."""
    rows = messages()
    own: pd.DataFrame = rows[rows["target"] == alert["target"]]
    return own

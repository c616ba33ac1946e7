"""Which alert a user means: by row number, fingerprint, name, or the row itself."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.types import AlertChange

if TYPE_CHECKING:
    import pandas as pd

AlertChoice: TypeAlias = "int | str | Mapping[str, Any] | pd.Series | pd.DataFrame | AlertChange"
EXPECTED = "the number of a row of alerts(), a fingerprint, an alertname or a row"
NEEDED = ("alertname", "target", "detector", "pending_at", "starts_at", "ends_at")


def chosen_alert(alerts: pd.DataFrame, choice: AlertChoice) -> Mapping[str, Any] | pd.Series:
    """The row of one alert.

    Parameters
    ----------
    alerts
        All alerts, a row per episode, oldest first.
    choice
        A row number (negative: from the end), a fingerprint or alertname (the newest episode), a row of the frame as
        a Series, mapping or one-row DataFrame, or an alert change.

    Raises
    ------
    ConfigError
        If there is no such alert.
    """
    import pandas as pd

    if isinstance(choice, AlertChange):
        episode = (alerts["fingerprint"] == choice.fingerprint).to_numpy()
        return _newest(alerts[episode], alerts, choice.fingerprint)
    if isinstance(choice, Integral) and not isinstance(choice, bool):
        if not -len(alerts) <= int(choice) < len(alerts):
            raise ConfigError.at("alert", _how_many(alerts), int(choice))
        return alerts.iloc[int(choice)]
    if isinstance(choice, str):
        named = (alerts["fingerprint"] == choice) | (alerts["alertname"] == choice)
        return _newest(alerts[named], alerts, choice)
    if isinstance(choice, pd.DataFrame):
        if len(choice) != 1:
            raise ConfigError.at("alert", "a frame of one row", f"{len(choice)} rows")
        choice = choice.iloc[0]
    if not isinstance(choice, (Mapping, pd.Series)):
        raise ConfigError.at("alert", EXPECTED, choice)
    missing = [name for name in NEEDED if name not in choice]
    if missing:
        raise ConfigError.at("alert", f"{EXPECTED}; a row has {', '.join(NEEDED)}", f"none of {missing[0]}")
    return choice


def _newest(rows: pd.DataFrame, alerts: pd.DataFrame, choice: str) -> pd.Series:
    if rows.empty:
        if alerts.empty:
            raise ConfigError.at("alert", _how_many(alerts), choice)
        raise unknown("alert", "a fingerprint or an alertname of alerts()", choice, alerts["alertname"].unique())
    return rows.iloc[-1]


def _how_many(alerts: pd.DataFrame) -> str:
    if alerts.empty:
        return "an alert (there is none yet)"
    return f"a row number from 0 to {len(alerts) - 1}"

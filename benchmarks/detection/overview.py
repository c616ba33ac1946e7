"""The main figure of each table side by side, and what is not tried where."""

from __future__ import annotations

import pandas as pd

from benchmarks.detection.runs import OF_REAL

MAIN = {
    "service faults": ("faults", "found"),
    "indicators": ("kpi", "found at 0.5 a day"),
    "real windows": ("real", "found at 0.5 a day"),
    "Numenta": ("nab", "cross-validated"),
}
NOT_TRIED = {("kpi", "isolation_forest")}  # a tick costs 5 ms, however few the series are; these have 170,000


def overview(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a judge."""
    return pd.DataFrame({name: frames[table][column] for name, (table, column) in MAIN.items()})


def parted(frames: dict[str, pd.DataFrame], judges: list[str]) -> dict[str, pd.DataFrame]:
    """What is reported of real series apart from the scores of the benchmark; an empty row for what is not tried."""
    both = frames["nab"]
    real = both[[column for column in both.columns if column.startswith(OF_REAL)]]
    return {
        **frames,
        "kpi": frames["kpi"].reindex(judges),
        "real": real.rename(columns=lambda column: column.removeprefix(OF_REAL)),
        "nab": both.drop(columns=real.columns),
    }

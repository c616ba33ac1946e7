"""Service level objectives in a report: how much of each error budget the range has used."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from aiops_nb.config.model import Config
from aiops_nb.core.types import ALL_TARGETS
from aiops_nb.detect.limits.burn_rate import BurnRateParams

COLUMNS = ["target", "origin", "objective_ratio", "error_ratio", "budget_used_ratio", "is_met"]


def objective_table(config: Config, summary: pd.DataFrame) -> pd.DataFrame:
    """A row for each target with an objective, and one for all targets.

    Parameters
    ----------
    config
        Of the recording; its burn-rate rules say which targets have which objective.
    summary
        As `summarise` makes it.

    Returns
    -------
    pandas.DataFrame
        `budget_used_ratio`: errors as a share of those that the objective allows for as many requests; above 1 it is
        missed (The Site Reliability Workbook, 2018, chapter 2).

    Examples
    --------
    >>> objective_table(Config(), pd.DataFrame(columns=["target", "origin", "error_ratio"])).empty
    True
    """
    lines = [*summary.to_dict("records"), *_totals(summary)]
    rows = [
        {
            "target": line["target"],
            "origin": line["origin"],
            "objective_ratio": objective,
            "error_ratio": line["error_ratio"],
            "budget_used_ratio": line["error_ratio"] / (1.0 - objective),
            "is_met": bool(line["error_ratio"] <= 1.0 - objective),
        }
        for target, origin, objective in dict.fromkeys(_objectives(config))
        for line in lines
        if line["target"] == target and origin in (None, line["origin"])
    ]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values("budget_used_ratio", ascending=False, ignore_index=True)


def _totals(summary: pd.DataFrame) -> Iterator[dict[Hashable, Any]]:
    for origin, part in summary.groupby("origin", observed=True):
        errors = float((part["error_ratio"] * part["requests"]).sum())
        yield {"target": ALL_TARGETS, "origin": origin, "error_ratio": errors / float(part["requests"].sum())}


def _objectives(config: Config) -> Iterator[tuple[str, str | None, float]]:
    """Target, origin and objective, once for each burn rate."""
    named = config.pipeline.window.objective_targets
    for rule in config.pipeline.feature_rules:
        if isinstance(rule.detector, BurnRateParams):
            for target in rule.targets or (*named, ALL_TARGETS):
                yield target, rule.origin, rule.detector.objective_ratio

"""Lines that collectors did not use, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiops_nb.core.protocols import Collector
from aiops_nb.self_observation import counted

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("reason", "detail", "line")


def rejected_frame(collectors: Sequence[Collector]) -> pd.DataFrame:
    """The last lines that were not used, a row each: source, reason, detail, line.

    Examples
    --------
    >>> list(rejected_frame([]).columns)
    ['source', 'reason', 'detail', 'line']
    """
    import pandas as pd

    kept = [(collector.name, one) for collector in collectors for one in getattr(collector, "rejected", ())]
    rows = [(name, *(getattr(one, column) for column in _COLUMNS)) for name, one in kept]
    return pd.DataFrame(rows, columns=["source", *_COLUMNS], dtype="str")


def mostly_unused(collectors: Sequence[Collector]) -> dict[str, str]:
    """Sources of which more lines are rejected than used: a sentence each, as of a pattern that does not fit."""
    told = {f"lines of {collector.name}": _sentence(counted(collector)) for collector in collectors}
    return {part: sentence for part, sentence in told.items() if sentence is not None}


def _sentence(counters: dict[str, float]) -> str | None:
    rejected = {name: count for name, count in counters.items() if name.startswith("rejected_")}
    total = sum(rejected.values())
    if total <= counters.get("rows_total", 0.0):
        return None
    reason = max(rejected, key=lambda name: rejected[name]).removeprefix("rejected_").removesuffix("_total")
    return f"{total:,.0f} were not used, most as {reason}; monitor.rejected() shows the last ones"

"""Messages as frames: each with its template, and the templates themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.schemas import source_of
from aiops_nb.core.types import OTHER, IntArray
from aiops_nb.features.messages.miner import TemplateMiner
from aiops_nb.frames.rows import rows_frame

if TYPE_CHECKING:
    import pandas as pd

TEMPLATE_COLUMNS = ("source", "template", "template_id", "count", "first", "last", "severity", "example")
SEVERITIES = ("debug", "info", "warning", "error", "critical")  # the last is the worst
_EXAMPLE_CHARACTERS = 500


class Mined:
    """Messages in stream order, and the template of each by its source's miner."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.batches: list[pa.RecordBatch] = []
        self.miners: dict[str, TemplateMiner] = {}
        self._numbers: list[IntArray] = []
        for batch in batches:
            if batch.num_rows:
                self._add(batch)

    def _add(self, batch: pa.RecordBatch) -> None:
        miner = self.miners.setdefault(source_of(batch), TemplateMiner())
        self.batches.append(batch)
        self._numbers.append(miner.add(pc.fill_null(batch.column("text"), "")))

    def texts(self) -> list[tuple[str, str]]:
        """Text and id of each row's template, merges until the last row counted; `__other__` beyond the limit."""
        named: list[tuple[str, str]] = []
        for batch, numbers in zip(self.batches, self._numbers, strict=True):
            miner = self.miners[source_of(batch)]
            of_number = {number: _named(miner, number) for number in set(numbers.tolist())}
            named += [of_number[number] for number in numbers.tolist()]
        return named


def _named(miner: TemplateMiner, number: int) -> tuple[str, str]:
    if number < 0:
        return OTHER, ""
    template = miner.templates[miner.current(number)]
    return template.text, template.id


def messages_frame(batches: Iterable[pa.RecordBatch]) -> pd.DataFrame:
    """Messages with `template` (text) and `template_id`.

    Parameters
    ----------
    batches
        Of `messages`, in stream order, from the first: what template a line has depends on those before it.
    """
    import pandas as pd

    mined = Mined(batches)
    frame = rows_frame("messages", mined.batches)
    named = mined.texts()
    frame["template"] = pd.Categorical([text for text, _ in named])
    frame["template_id"] = pd.Categorical([name for _, name in named])
    return frame


def templates_frame(messages: pd.DataFrame) -> pd.DataFrame:
    """Templates of messages: counts, first and last time, worst severity, one line; the most frequent first.

    Parameters
    ----------
    messages
        As `messages_frame` gives them.
    """
    import pandas as pd

    rows = []
    for (source, identity), own in messages.groupby(["source", "template_id"], observed=True, sort=False):
        known = set(own["severity"].dropna())
        worst = next((one for one in reversed(SEVERITIES) if one in known), None)
        rows.append(
            {
                "source": source,
                "template": own["template"].iloc[0],
                "template_id": identity,
                "count": len(own),
                "first": own["time"].min(),
                "last": own["time"].max(),
                "severity": worst,
                "example": str(own["text"].iloc[-1])[:_EXAMPLE_CHARACTERS],
            }
        )
    frame = pd.DataFrame(rows, columns=list(TEMPLATE_COLUMNS))
    return frame.sort_values("count", ascending=False, kind="stable").reset_index(drop=True)

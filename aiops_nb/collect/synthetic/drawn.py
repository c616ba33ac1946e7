"""A synthetic stream at once: as batches, as tables, as DataFrames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from aiops_nb.collect.synthetic.block import Block, block_seconds, draw_block
from aiops_nb.collect.synthetic.faults import FaultLabel, labels_frame
from aiops_nb.collect.synthetic.stream import SyntheticStream
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import write_label_lines
from aiops_nb.core.schemas import TABLES

if TYPE_CHECKING:
    import pandas as pd


class Drawn:
    """So many seconds of a synthetic stream, drawn again at each use; made by `draw`.

    Parameters
    ----------
    seconds
        How many.
    options
        Of `SyntheticStream`.
    """

    def __init__(self, seconds: float, options: dict[str, Any]) -> None:
        self._seconds, self._options = seconds, options
        self.params = self.stream().params  # wrong options raise at once

    def stream(self) -> SyntheticStream:
        """The same rows as a collector."""
        return SyntheticStream(duration_seconds=self._seconds, **self._options)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of at most 5,000 rows in the order of the stream; memory does not grow."""
        stream = self.stream()
        return iter(lambda: stream.poll(0), None)

    def table(self, name: Literal["requests", "samples"]) -> pa.Table:
        """All rows of one table, in the order of the stream."""
        parts = [block.requests if name == "requests" else block.samples for block in self._blocks()]
        batches = [part.batch for part in parts if part is not None]
        return pa.Table.from_batches(batches, schema=TABLES[name]).unify_dictionaries()

    def requests(self) -> pd.DataFrame:
        """All requests, as a monitor's `requests()` gives them."""
        return self._frame("requests")

    def samples(self) -> pd.DataFrame:
        """All samples, as a monitor's `samples()` gives them."""
        return self._frame("samples")

    def _blocks(self) -> Iterator[Block]:
        stream, second = self.stream(), 0
        while second < self._seconds:
            seconds = block_seconds(stream.params, second, self._seconds)
            yield draw_block(stream.params, stream.name, second, seconds)
            second += seconds

    def _frame(self, name: Literal["requests", "samples"]) -> pd.DataFrame:
        frame: pd.DataFrame = self.table(name).drop_columns(["seq"]).to_pandas()
        return frame

    @property
    def labels(self) -> list[FaultLabel]:
        """The truth: when and where each fault is."""
        return self.params.labels

    def labels_frame(self) -> pd.DataFrame:
        """`labels` as `aiops_nb.tune.sweep` takes them."""
        return labels_frame(self.labels)

    def write_labels(self, path: str | Path) -> None:
        """Write `labels` to a file that `aiops_nb.tune.read_labels` reads."""
        write_label_lines(path, (label.line() for label in self.labels))


def draw(seconds: float, **options: Any) -> Drawn:
    """Draw a stretch of a synthetic stream without any clock, thread or wait.

    Parameters
    ----------
    seconds
        How long, > 0; a second begun is drawn whole.
    **options
        Of `SyntheticStream`, but for `clock` and `duration_seconds`.

    Returns
    -------
    Drawn
        With `batches()`, `requests()`, `samples()`, `labels` and `labels_frame()`.

    Raises
    ------
    ConfigError
        As `SyntheticStream` does.

    Examples
    --------
    >>> drawn = draw(60, seed=7, targets=["shop", "search"], hosts=1)
    >>> drawn.samples()["metric"].value_counts()["cpu_ratio"]
    np.int64(60)
    >>> drawn.requests().equals(drawn.requests())
    True
    """
    for name in ("clock", "duration_seconds"):
        if name in options:
            raise ConfigError.at("options", f"those of SyntheticStream without {name}", name)
    return Drawn(seconds, options)

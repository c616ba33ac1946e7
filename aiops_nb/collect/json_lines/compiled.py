"""Plain request lines to a batch by the compiled kernel, where it is installed."""

from __future__ import annotations

import pyarrow as pa

from aiops_nb import kernel
from aiops_nb.core.schemas import REQUESTS, trust


class CompiledLines:
    r"""Reads chunks in which every line is a plain request; all others are left to msgspec.

    The dictionary of targets is shared by the batches, and may hold names that a batch has no row of.

    Parameters
    ----------
    source
        The `source` of the rows.

    Examples
    --------
    >>> lines = CompiledLines("demo")
    >>> lines.batch(b'{"time": 1, "target": "a", "speed": 3}\n') is None  # a field that no column is for
    True
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._decoder = None if kernel.compiled is None else kernel.compiled.RequestLines()

    def batch(self, lines: bytes) -> pa.RecordBatch | None:
        """The rows of the lines; None where they have to be read the other way, or no kernel is installed."""
        if self._decoder is None:
            return None
        address = self._decoder.decode(lines, self._source)
        return None if address is None else trust(pa.RecordBatch._import_from_c(address, REQUESTS))

"""Request rows of Arrow batches as numpy, with numbers for their series; no loop over rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import dictionary_indices, floats, integers, times_ns
from aiops_nb.core.schemas import ERROR_TYPES
from aiops_nb.core.types import IntArray, SeriesKey
from aiops_nb.view.data.ring_buffers import Points

_ERROR_NUMBERS = {name: number for number, name in enumerate(ERROR_TYPES, start=1)}


class SeriesNumbers:
    """Own numbers for series, in order of appearance; they outlive a restart of the engine.

    Examples
    --------
    >>> numbers = SeriesNumbers()
    >>> numbers.of([SeriesKey("a"), SeriesKey("b"), SeriesKey("a")])
    array([0, 1, 0])
    """

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self._numbers: dict[SeriesKey, int] = {}
        self._last: tuple[SeriesKey, ...] = ()
        self._last_numbers: IntArray = np.zeros(0, np.int64)

    def number(self, key: SeriesKey) -> int:
        """Number of one series, new ones at the end."""
        number = self._numbers.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number

    def of(self, keys: Iterable[SeriesKey]) -> IntArray:
        """Numbers of many; asking for the same tuple again costs nothing."""
        if keys is not self._last:
            self._last = tuple(keys)
            self._last_numbers = np.array([self.number(key) for key in self._last], np.int64)
        return self._last_numbers


def points_of(batch: pa.RecordBatch, numbers: SeriesNumbers) -> Points:
    """Rows of a requests batch; status and error kind are 0 where there was none."""
    return Points(
        series=_series_of(batch, numbers),
        time_ns=times_ns(batch.column("time")),
        seconds=floats(batch.column("duration_seconds")).astype(np.float32),
        status=integers(batch.column("status_code"), 0).astype(np.int16),
        error=_errors_of(batch.column("error_type")),
    )


def _series_of(batch: pa.RecordBatch, numbers: SeriesNumbers) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    targets, origins = batch.column("target"), batch.column("origin")
    width = len(origins.dictionary) + 1
    pairs = (dictionary_indices(targets).astype(np.int64) + 1) * width + dictionary_indices(origins) + 1
    names, kinds = ["", *targets.dictionary.to_pylist()], ["", *origins.dictionary.to_pylist()]
    found, place = np.unique(pairs, return_inverse=True)
    own = [numbers.number(SeriesKey(names[pair // width], origin=kinds[pair % width])) for pair in found.tolist()]
    return np.array(own, np.int32)[place]


def _errors_of(column: pa.DictionaryArray) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    kinds = [0, *(_ERROR_NUMBERS.get(name, len(_ERROR_NUMBERS) + 1) for name in column.dictionary.to_pylist())]
    return np.array(kinds, np.int8)[dictionary_indices(column) + 1]


def error_name(number: int) -> str:
    """Error kind of its number in `Points`.

    Examples
    --------
    >>> error_name(1), error_name(0)
    ('timeout', '')
    """
    return ("", *ERROR_TYPES, "other")[number]

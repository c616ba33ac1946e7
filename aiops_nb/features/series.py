"""Codes of series, given in row order, so that they cannot depend on how the stream was cut into batches."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import dictionary_indices
from aiops_nb.core.growing import capacity_for
from aiops_nb.core.types import OTHER, Int32Array, IntArray, SeriesKey

MOST_SECOND_NAMES = 1024
KEY_WIDTH = 2 * MOST_SECOND_NAMES
MOST_CELLS = 1 << 20  # 8 MB


class Interner:
    """String -> code in the order of first appearance; at most `limit` codes, the rest share one for `__other__`."""

    def __init__(self, limit: int) -> None:
        self.names: list[str] = [OTHER]
        self._code: dict[str | None, int] = {}
        self._limit = limit
        self._last: pa.Array | None = None  # the dictionary of the batch before, and the codes of its names
        self._last_codes: IntArray = np.zeros(0, np.int64)

    def encode(self, column: pa.DictionaryArray) -> IntArray:
        """Codes of a dictionary column, (rows,); null is a name of its own, ""."""
        if len(column.dictionary) == 1 and len(column) and not column.null_count:
            return np.full(len(column), self._add(column.dictionary[0].as_py()))
        indices = dictionary_indices(column)
        lookup = self._codes_of(column.dictionary)
        codes: IntArray = lookup[indices]
        if codes.min(initial=0) < 0:
            self._learn(indices[codes < 0], column.dictionary, lookup)
            codes = lookup[indices]
        return codes

    def _codes_of(self, dictionary: pa.Array) -> IntArray:
        """Codes of its names, and of null at the end; -1: none yet. A sender's dictionary mostly stays, or grows."""
        last = self._last
        if last is not None and dictionary.slice(0, len(last)).equals(last):
            known, fresh = self._last_codes, dictionary.slice(len(last)).to_pylist()
            if not fresh:
                return known
        else:
            known, fresh = np.array([self._code.get(None, -1)]), dictionary.to_pylist()
        more = np.fromiter(map(self._code.get, fresh, repeat(-1)), np.int64, len(fresh))
        self._last, self._last_codes = dictionary, np.concatenate([known[:-1], more, known[-1:]])
        return self._last_codes

    def known(self, column: pa.DictionaryArray) -> IntArray:
        """The same, -1 for names that have no code yet, to which none is given."""
        codes: IntArray = self._codes_of(column.dictionary)[dictionary_indices(column)]
        return codes

    def _learn(self, unknown: Int32Array, dictionary: pa.Array, lookup: IntArray) -> None:
        used, first_row = np.unique(unknown, return_index=True)
        for index in used[np.argsort(first_row)].tolist():
            lookup[index] = self._add(dictionary[index].as_py() if index >= 0 else None)

    def _add(self, name: str | None) -> int:
        known = self._code.get(name)
        if known is not None:
            return known
        if len(self.names) > self._limit:
            return 0
        self.names.append(name or "")
        self._code[name] = len(self.names) - 1
        return len(self.names) - 1


class SeriesIndex:
    """Codes of pairs of names, such as (target, metric), in the order of their first row.

    Parameters
    ----------
    limit
        Most series; further ones share the code of `__other__`.
    """

    def __init__(self, limit: int) -> None:
        self._first, self._second = Interner(limit), Interner(MOST_SECOND_NAMES)
        self._pair = np.full((64, 4), -1, np.int64)
        self._codes: dict[int, int] | None = None  # of all pairs, once a table of them would be too large
        self._limit = limit
        self.pairs: list[tuple[str, str]] = []
        self._keys: list[SeriesKey] = []

    def encode(self, first: pa.DictionaryArray, second: pa.DictionaryArray) -> IntArray:
        """Series codes of the rows, (rows,)."""
        left, right = self._first.encode(first), self._second.encode(second)
        self._make_room()
        if self._codes is not None:
            return self._looked_up(self._codes, left, right)
        codes = self._pair[left, right]
        if len(codes) and codes.min() < 0:
            self._learn(left, right, codes)
            codes = self._pair[left, right]
        return codes

    def known(self, first: pa.DictionaryArray, second: pa.DictionaryArray) -> IntArray:
        """The same, -1 for series that have no code yet, to which none is given; (rows,)."""
        left, right = self._first.known(first), self._second.known(second)
        if self._codes is not None:
            return np.full(len(left), -1)
        new = (left < 0) | (right < 0) | (left >= self._pair.shape[0]) | (right >= self._pair.shape[1])
        if not new.any():
            return self._pair[left, right]
        return np.where(new, -1, self._pair[np.where(new, 0, left), np.where(new, 0, right)])

    def _make_room(self) -> None:
        rows = capacity_for(len(self._first.names), self._pair.shape[0])
        columns = capacity_for(len(self._second.names), self._pair.shape[1])
        if self._codes is not None or (rows, columns) == self._pair.shape:
            return
        if rows * columns > MOST_CELLS:  # a sender that names something new in every line
            known = np.argwhere(self._pair >= 0).tolist()
            self._codes = {left * KEY_WIDTH + right: int(self._pair[left, right]) for left, right in known}
            return
        wide = np.full((rows, columns), -1, np.int64)
        wide[: self._pair.shape[0], : self._pair.shape[1]] = self._pair
        self._pair = wide

    def _looked_up(self, known: dict[int, int], left: IntArray, right: IntArray) -> IntArray:
        keys, first_row, inverse = np.unique(left * KEY_WIDTH + right, return_index=True, return_inverse=True)
        codes = np.fromiter((known.get(key, -1) for key in keys.tolist()), np.int64, len(keys))
        unknown = np.flatnonzero(codes < 0)
        for at in unknown[np.argsort(first_row[unknown])].tolist():
            codes[at] = known[int(keys[at])] = self._add(*divmod(int(keys[at]), KEY_WIDTH))
        return codes[inverse]

    def _learn(self, left: IntArray, right: IntArray, codes: IntArray) -> None:
        rows = np.flatnonzero(codes < 0)
        for place in dict.fromkeys(zip(left[rows].tolist(), right[rows].tolist(), strict=True)):
            self._pair[place] = self._add(*place)

    def _add(self, left: int, right: int) -> int:
        names = self._first.names[left], self._second.names[right]
        if len(self.pairs) >= self._limit:
            names = (OTHER, self._second.names[right])
        if names in self.pairs[self._limit :]:
            return self.pairs.index(names, self._limit)
        self.pairs.append(names)
        return len(self.pairs) - 1

    def request_keys(self, count: int) -> tuple[SeriesKey, ...]:
        """The first `count` series as (target, origin)."""
        for target, origin in self.pairs[len(self._keys) : count]:
            self._keys.append(SeriesKey(target=target, origin=origin))
        return tuple(self._keys[:count])

    def sample_keys(self, count: int) -> tuple[SeriesKey, ...]:
        """The first `count` series as (target, metric)."""
        for target, metric in self.pairs[len(self._keys) : count]:
            self._keys.append(SeriesKey(target=target, metric=metric))
        return tuple(self._keys[:count])

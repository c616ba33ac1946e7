"""Batches of lines to numbers of templates, streaming."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aiops_nb.core.types import IntArray
from aiops_nb.features.messages.line_keys import line_keys
from aiops_nb.features.messages.masks import shape_of
from aiops_nb.features.messages.template_tree import MergeParams, Template, TemplateTree

MOST_KEY_BYTES = 16 << 20  # of the dictionary of known keys, which is only a short cut
NO_TEMPLATE = -1  # a line beyond the limit of templates


class Merge(NamedTuple):
    """From this row of the stream on, lines of one template count for another.

    Attributes
    ----------
    row
        How many lines came before.
    merged, into
        Numbers of templates.
    """

    row: int
    merged: int
    into: int


class TemplateMiner:
    """Finds the template of each line of one log.

    The result depends on the lines alone, not on how they are cut into batches. A template never changes: where
    templates turn out to be one, a new template takes their place from that line on, and `merges` says so. No template
    is dropped; beyond the limit, lines without a known template are counted in `unassigned_total`.

    Parameters
    ----------
    params
        When a position is a parameter; the same for all logs unless said otherwise.
    limit
        Most templates.

    Examples
    --------
    >>> miner = TemplateMiner()
    >>> miner.add(pa.array(["took 3 ms", "took 41 ms", "no route to host"])).tolist()
    [0, 0, 1]
    >>> miner.templates[0].text, miner.counts.tolist()
    ('took <*> ms', [2, 1])
    """

    def __init__(self, params: MergeParams | None = None, limit: int = 10_000) -> None:
        self.merges: list[Merge] = []
        self.unassigned_total = 0
        self.lines_total = 0
        self._tree = TemplateTree(params, limit)
        self._known: dict[str, int] = {}
        self._known_bytes = 0
        self._counts: IntArray = np.zeros(16, np.int64)

    @property
    def templates(self) -> list[Template]:
        """All templates by number, merged ones too."""
        return self._tree.templates

    @property
    def counts(self) -> IntArray:
        """Lines by the number of the template that they were given; with `unassigned_total` all lines."""
        return self._counts[: len(self._tree.templates)]

    def current(self, number: int) -> int:
        """The template that this one has been merged into by now, or itself."""
        return self._tree.current(number)

    def add(self, texts: pa.StringArray) -> IntArray:
        """Take the next lines.

        Parameters
        ----------
        texts
            Lines, (rows,), without nulls.

        Returns
        -------
        ndarray
            Number of each line's template, (rows,), as it was when the line came; `NO_TEMPLATE` beyond the limit.
        """
        keys = line_keys(texts).dictionary_encode()
        codes = keys.indices.to_numpy()
        numbers = np.empty(len(codes), np.int64)
        self._assign(keys.dictionary.to_pylist(), codes, numbers)
        self._count(numbers)
        self.lines_total += len(codes)
        return numbers

    def _assign(self, keys: list[str], codes: IntArray, numbers: IntArray) -> None:
        """Fill in the numbers, up to each merge by the templates before it."""
        lookup = np.fromiter((self._number(key) for key in keys), np.int64, len(keys))
        unknown = np.flatnonzero(lookup < NO_TEMPLATE)
        begin = 0
        if len(unknown):
            first_row = _first_rows(codes, len(keys))
            for at in unknown.tolist():  # a dictionary is in the order of first appearance
                row = int(first_row[at])
                number, merged = self._find(keys[at], self.lines_total + row)
                if merged:
                    numbers[begin:row] = lookup[codes[begin:row]]
                    begin = row
                    lookup = self._renumbered(lookup, merged)
                lookup[at] = number
        numbers[begin:] = lookup[codes[begin:]]

    def _number(self, key: str) -> int:
        known = self._known.get(key)
        return NO_TEMPLATE - 1 if known is None else known

    def _find(self, key: str, row: int) -> tuple[int, list[int]]:
        """Template of a key that is not known, and the templates that were merged for it."""
        before = len(self._tree.merged)
        found = self._tree.find(shape_of(key))
        number = NO_TEMPLATE if found is None else found
        merged = list(self._tree.merged)[before:]
        self.merges += [Merge(row, one, self._tree.current(one)) for one in merged]
        if merged:
            self._known = {known: self._tree.current(its) if its >= 0 else its for known, its in self._known.items()}
        if self._known_bytes > MOST_KEY_BYTES:
            self._known.clear()
            self._known_bytes = 0
        self._known[key] = number
        self._known_bytes += len(key) + 100
        return number, merged

    def _renumbered(self, lookup: IntArray, merged: Iterable[int]) -> IntArray:
        for one in merged:
            lookup[lookup == one] = self._tree.current(one)
        return lookup

    def _count(self, numbers: IntArray) -> None:
        assigned = numbers[numbers >= 0]
        self.unassigned_total += len(numbers) - len(assigned)
        if not len(assigned):
            return
        counts = np.bincount(assigned, minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts


def _first_rows(codes: IntArray, keys: int) -> IntArray:
    """Row in which each key comes first, (keys,)."""
    first: IntArray = np.full(keys, len(codes))
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first

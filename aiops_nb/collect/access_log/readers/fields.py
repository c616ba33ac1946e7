"""Fields of the lines of an access log, from expressions with named groups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.pattern import METHOD, QUOTED, REQUEST_OR_ANY, LinePattern
from aiops_nb.core.types import BoolArray, IntArray

Columns = dict[str, pa.Array]
_ANYTHING_QUOTED = f"^{QUOTED}$"
_REQUEST_LINE = f"^{REQUEST_OR_ANY}$"
_QUOTE, _BACKSLASH = b'"', ord("\\")


class PatternFields:
    r"""Columns of text by field.

    Lines are cut at their quotes, as a search for groups takes three times as long in a whole line as in its parts.
    What does not fit so is searched as a whole: a client may send quotes, brackets and spaces.

    Examples
    --------
    >>> from aiops_nb.collect.access_log.pattern import line_pattern
    >>> fields = PatternFields(line_pattern('$msec "$http_referer" $status'))
    >>> columns, positions = fields.extract(pa.array([b'1 "a" 200', b"garbage", rb'2 "a\"b" 404']))
    >>> columns["status_code"].to_pylist(), positions.tolist()
    ([b'200', b'404'], [0, 2])
    """

    def __init__(self, pattern: LinePattern) -> None:
        self._pattern = pattern

    def extract(self, texts: pa.Array) -> tuple[Columns, IntArray]:
        """The fields of the lines that are of the pattern, and their positions, (n,)."""
        if not self._pattern.segments:
            return self._searched(texts)
        parts = pc.split_pattern(texts, _QUOTE)
        first = parts.offsets.to_numpy()
        alike: BoolArray = np.diff(first) == len(self._pattern.segments)
        columns, fitting = self._cut(parts.values, first[:-1][alike])
        positions: IntArray = np.flatnonzero(alike)[fitting]
        if len(positions) == len(texts):
            return columns, positions
        rest = np.setdiff1d(np.arange(len(texts)), positions, assume_unique=True)
        others, other_positions = self._searched(texts.take(pa.array(rest)))
        return _in_order(columns, positions, others, rest[other_positions])

    def _searched(self, texts: pa.Array) -> tuple[Columns, IntArray]:
        columns, positions = self._found(texts, self._pattern.expression)
        if not self._pattern.loose or len(positions) == len(texts):
            return columns, positions
        rest = np.setdiff1d(np.arange(len(texts)), positions, assume_unique=True)
        others, other_positions = self._found(texts.take(pa.array(rest)), self._pattern.loose)
        return _in_order(columns, positions, others, rest[other_positions])

    def _found(self, texts: pa.Array, expression: str) -> tuple[Columns, IntArray]:
        found = pc.extract_regex(texts, expression)
        positions: IntArray = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        if len(positions) < len(found):
            found = found.take(pa.array(positions))
        return {name: found.field(name) for name in self._pattern.fields}, positions

    def _cut(self, parts: pa.Array, first: IntArray) -> tuple[Columns, IntArray]:
        """The same of lines that are cut into as many parts as the pattern has; `first` (n,) is where each begins."""
        takes_anything = None if _has_backslash(parts) else _ANYTHING_QUOTED
        fits = np.ones(len(first), np.bool_)
        columns: Columns = {}
        for place, segment in enumerate(self._pattern.segments):
            if segment != takes_anything:
                fits &= _look_into(parts.take(pa.array(first + place)), segment, columns)
        positions: IntArray = np.flatnonzero(fits)
        if len(positions) < len(first):
            columns = {name: column.take(pa.array(positions)) for name, column in columns.items()}
        return columns, positions


def _look_into(part: pa.Array, segment: str, columns: Columns) -> BoolArray:
    """Which parts match, (n,); puts the groups into the columns."""
    if segment == _REQUEST_LINE:
        columns["method"], columns["path"], fits = _request(part)
    elif "(?P<" in segment:
        found = pc.extract_regex(part, segment)
        columns.update({field.name: found.field(field.name) for field in found.type})
        fits = _bools(found.is_valid())
    else:
        fits = _bools(pc.match_substring_regex(part, segment))
    return fits


def _request(part: pa.Array) -> tuple[pa.Array, pa.Array, BoolArray]:
    """Method, path and what fits, of request lines without quotes: cut at spaces, as the expression does it."""
    words = pc.split_pattern(part, b" ", max_splits=2)
    first, count = words.offsets.to_numpy()[:-1], pc.list_value_length(words).to_numpy()
    methods = words.values.take(pa.array(first)).dictionary_encode()
    is_method = pc.match_substring_regex(methods.dictionary, f"^{METHOD}$").take(methods.indices)
    fits = (count >= 2) & _bools(is_method)
    path = words.values.take(pa.array(first + 1, mask=~fits))
    others = np.flatnonzero(~fits)
    fits[others] = _bools(pc.match_substring_regex(part.take(pa.array(others)), _ANYTHING_QUOTED))
    return pc.if_else(path.is_valid(), methods.cast(part.type), pa.scalar(None, part.type)), path, fits


def _bools(column: pa.Array) -> BoolArray:
    known: BoolArray = column.to_numpy(zero_copy_only=False)
    return known


def _has_backslash(values: pa.Array) -> bool:
    """Whether there may be one: a quoted value without is just anything."""
    data = values.buffers()[2]
    return data is not None and bool((np.frombuffer(data, np.uint8) == _BACKSLASH).any())


def _in_order(
    columns: Columns, positions: IntArray, others: Mapping[str, pa.Array], more: IntArray
) -> tuple[Columns, IntArray]:
    if not len(more):
        return columns, positions
    every = np.concatenate([positions, more])
    order = np.argsort(every)
    take = pa.array(order)
    return {name: pa.concat_arrays([columns[name], others[name]]).take(take) for name in columns}, every[order]

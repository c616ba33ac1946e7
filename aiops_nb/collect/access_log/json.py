"""Access logs in JSON: an object a line, by the keys of nginx's variables and of common web servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.pattern import FIELD_OF
from aiops_nb.collect.json_lines.unknown_fields import Fields, UnknownCount
from aiops_nb.core.types import Int32Array, IntArray

_ATTRIBUTES = {key: key.replace("@", "at_") for key in FIELD_OF}
_FIELDS: list[tuple[str, Any, Any]] = [
    (attribute, str | int | float | None, msgspec.field(default=None, name=key))
    for key, attribute in _ATTRIBUTES.items()
]
_Line = msgspec.defstruct("JsonAccessLine", _FIELDS, gc=False)
_Decoded: TypeAlias = tuple[Sequence[Any], Sequence[Fields]]
_FEW = 8
_MAX_LEARNED = 32  # whoever writes the lines chooses the keys
_NO_LINE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class JsonFields:
    """Chunks of JSON lines -> columns of text by field, and which lines they are of.

    Parameters
    ----------
    unknown
        Counts the keys that no field is for, and may keep them in the column `extra`.
    """

    def __init__(self, unknown: UnknownCount) -> None:
        self._unknown = unknown
        self._learned = _Learned(())
        self._lines = msgspec.json.Decoder(_Line)
        self._fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

    def extract(self, texts: pa.Array) -> tuple[dict[str, pa.Array], IntArray]:
        """The fields of the lines that are JSON objects, and their places, (n,)."""
        decoded, extras = self._decode(texts)
        places = np.array([place for place, line in enumerate(decoded) if line is not None], np.int64)
        lines = [line for line in decoded if line is not None]
        columns: dict[str, pa.Array] = {}
        for key, attribute in _ATTRIBUTES.items():
            values = list(map(attrgetter(attribute), lines))
            if values.count(None) < len(values):
                columns[FIELD_OF[key]] = _text(values, columns.get(FIELD_OF[key]))
        return {**columns, "extra": pa.array(extras, pa.string())}, places

    def _decode(self, texts: pa.Array) -> tuple[Sequence[Any], list[str | None]]:
        """A line each, None where there is none; and what else those that are lines hold."""
        lines: list[Any] = []
        fields: list[Fields] = []
        for part in _parts(texts):
            some, theirs = self._decode_part(part)
            lines += some
            fields += theirs
        return lines, self._unknown.extras(fields, FIELD_OF)

    def _decode_part(self, texts: pa.Array) -> _Decoded:
        """All lines at once; if one is bad, each half so; few lines one by one."""
        offsets, data = _bytes_of(texts)
        whole = self._decode_alike(data[offsets[0] : offsets[-1]].tobytes())
        if whole is not None and len(whole[0]) == len(texts):
            return whole
        if len(texts) <= _FEW:
            each = [self._decode_line(line) for line in texts.to_pylist()]
            return [line for line, _ in each], [given for line, given in each if line is not None]
        middle = len(texts) // 2
        (lines, fields), (more, theirs) = self._decode_part(texts[:middle]), self._decode_part(texts[middle:])
        return [*lines, *more], [*fields, *theirs]

    def _decode_alike(self, chunk: bytes) -> _Decoded | None:
        """All lines at once, if each of them is one."""
        with suppress(*_NO_LINE):
            return self._learned.decode(chunk, self._unknown.keeps)
        with suppress(*_NO_LINE):
            lines, fields = self._lines.decode_lines(chunk), self._fields.decode_lines(chunk)
            self._learned = self._learned.and_those_of(fields)
            return lines, fields
        return None

    def _decode_line(self, line: bytes) -> tuple[Any | None, Fields]:
        try:
            return self._lines.decode(line), self._fields.decode(line)
        except _NO_LINE:
            return self._decode_repaired(line)

    def _decode_repaired(self, line: bytes) -> tuple[Any | None, Fields]:
        """With what is no UTF-8 replaced: nginx logs the bytes of a request as they came, in JSON too."""
        repaired = line.decode("utf-8", "replace").encode()
        if repaired != line:
            with suppress(*_NO_LINE):
                return self._lines.decode(repaired), self._fields.decode(repaired)
        return None, {}


class _Learned:
    """Reads lines with keys that came before, known or not, in one go; any other key is an error.

    Parameters
    ----------
    names
        Keys that no field is for.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        others = {f"other_{place}": name for place, name in enumerate(names)}
        fields = [(at, msgspec.Raw, msgspec.field(default=None, name=name)) for at, name in others.items()]
        line = msgspec.defstruct("LearnedLine", [*_FIELDS, *fields], gc=False, forbid_unknown_fields=True)
        self._decoder = msgspec.json.Decoder(line)
        self._columns = [attrgetter(at) for at in others]

    def decode(self, chunk: bytes, needs_values: bool) -> _Decoded:
        """Lines, and the keys of each that no field is for; with any values if those are not needed."""
        lines = self._decoder.decode_lines(chunk)
        if not (self._names and lines):
            return lines, [{}] * len(lines)
        columns = [list(map(column, lines)) for column in self._columns]
        if not needs_values and all(map(all, columns)):
            return lines, [self._given(tuple(column[0] for column in columns))] * len(lines)
        return lines, [self._given(values) for values in zip(*columns, strict=True)]

    def _given(self, values: tuple[Any, ...]) -> Fields:
        if all(values):
            return dict(zip(self._names, values, strict=True))
        return {name: value for name, value in zip(self._names, values, strict=True) if value is not None}

    def and_those_of(self, fields: Sequence[Fields]) -> _Learned:
        """With the keys of such lines too, as long as they are few."""
        seen = {name for names in set(map(tuple, fields)) for name in names if name not in FIELD_OF}
        names = sorted(seen.union(self._names))
        return self if len(names) > _MAX_LEARNED else _Learned(tuple(names))


def _bytes_of(texts: pa.Array) -> tuple[Int32Array, npt.NDArray[np.uint8]]:
    """Where each text begins, and the last ends, (n + 1,), in the bytes of all."""
    _, offsets, data = texts.buffers()
    return np.frombuffer(offsets, np.int32)[texts.offset :][: len(texts) + 1], np.frombuffer(data or b"", np.uint8)


def _parts(texts: pa.Array) -> Iterator[pa.Array]:
    """Neighbours that may be objects together, each other line alone: it would only be in the way."""
    offsets, data = _bytes_of(texts)
    begin = 0
    for place in np.flatnonzero(data[offsets[:-1]] != ord("{")).tolist():
        yield texts[begin:place]
        yield texts[place : place + 1]
        begin = place + 1
    yield texts[begin:]


def _text(values: list[str | int | float | None], before: pa.Array | None) -> pa.Array:
    """As bytes; a key that stands for the same field fills what an earlier one left open."""
    try:
        column = pa.array(values, pa.string()).cast(pa.binary())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # numbers
        column = pa.array([None if value is None else str(value) for value in values], pa.string()).cast(pa.binary())
    return column if before is None else pc.coalesce(before, column)

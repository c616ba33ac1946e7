"""Access logs in JSON: an object a line, by the keys of nginx's variables and of common web servers."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log_pattern import FIELD_OF
from aiops_nb.core.types import IntArray

_ATTRIBUTES = {key: key.replace("@", "at_") for key in FIELD_OF}
_Line = msgspec.defstruct(
    "JsonAccessLine",
    [
        (attribute, str | int | float | None, msgspec.field(default=None, name=key))
        for key, attribute in _ATTRIBUTES.items()
    ],
    gc=False,
)


class JsonFields:
    """Chunks of JSON lines -> columns of text by field, and which lines they are of."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Line)

    def extract(self, texts: pa.Array) -> tuple[dict[str, pa.Array], IntArray]:
        """The fields of the lines that are JSON objects, and their places, (n,)."""
        decoded = self._decode(texts)
        places = np.array([place for place, line in enumerate(decoded) if line is not None], np.int64)
        lines = [line for line in decoded if line is not None]
        columns: dict[str, pa.Array] = {}
        for key, attribute in _ATTRIBUTES.items():
            values = list(map(attrgetter(attribute), lines))
            if values.count(None) < len(values):
                columns[FIELD_OF[key]] = _text(values, columns.get(FIELD_OF[key]))
        return columns, places

    def _decode(self, texts: pa.Array) -> Sequence[Any]:
        raw = texts.to_pylist()
        try:
            lines = self._decoder.decode_lines(b"".join(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            lines = []
        return lines if len(lines) == len(raw) else [self._decode_line(line) for line in raw]

    def _decode_line(self, line: bytes) -> Any | None:
        try:
            return self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._decode_repaired(line)

    def _decode_repaired(self, line: bytes) -> Any | None:
        """With what is no UTF-8 replaced: nginx logs the bytes of a request as they came, in JSON too."""
        repaired = line.decode("utf-8", "replace").encode()
        try:
            return self._decoder.decode(repaired) if repaired != line else None
        except (msgspec.DecodeError, RecursionError):
            return None


def _text(values: list[str | int | float | None], before: pa.Array | None) -> pa.Array:
    """As bytes; a key that stands for the same field fills what an earlier one left open."""
    try:
        column = pa.array(values, pa.string()).cast(pa.binary())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # numbers
        column = pa.array([None if value is None else str(value) for value in values], pa.string()).cast(pa.binary())
    return column if before is None else pc.coalesce(before, column)

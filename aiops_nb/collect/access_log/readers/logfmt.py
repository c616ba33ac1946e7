"""Access logs as `key=value` pairs (logfmt): Heroku's router, lograge, Go's loggers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.collect.access_log.readers.json import JsonFields
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount
from aiops_nb.core.types import IntArray

_PAIR = re.compile(r'(?:^| )([A-Za-z_@][A-Za-z0-9_.@/-]*)=("(?:[^"\\]|\\.)*"|[^ "]*)(?= |$)')
_LEAST_PAIRS = 3
_MOST_PAIRS = 100


class LogfmtFields:
    """Columns of text by field, by the names of the pairs; see `JsonFields`.

    Parameters
    ----------
    unknown, fields
        As of `JsonFields`.

    Examples
    --------
    >>> reader = LogfmtFields(UnknownCount("drop"))
    >>> columns, positions = reader.extract(pa.array([b'at=info method=GET path="/a" status=200', b"hello"]))
    >>> columns["path"].to_pylist(), positions.tolist()
    ([b'/a'], [0])
    """

    def __init__(self, unknown: UnknownCount, fields: Mapping[str, str] | None = None) -> None:
        self.json = JsonFields(unknown, fields)

    def extract(self, texts: pa.Array) -> tuple[dict[str, pa.Array], IntArray]:
        """The fields of the lines that are such pairs, and their positions, (n,)."""
        objects = [_object(line) for line in texts.to_pylist()]
        positions = np.array([position for position, line in enumerate(objects) if line is not None], np.int64)
        lines = pa.array([line for line in objects if line is not None], pa.binary())
        columns, found = self.json.extract(lines)
        return columns, positions[found]


def _object(line: bytes) -> bytes | None:
    """A line as a JSON object with its end; None if it has too few pairs."""
    pairs = _PAIR.findall(line.decode("utf-8", "replace").strip())[:_MOST_PAIRS]
    if len(pairs) < _LEAST_PAIRS:
        return None
    return msgspec.json.encode({name: _value(value) for name, value in pairs}) + b"\n"


def _value(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text

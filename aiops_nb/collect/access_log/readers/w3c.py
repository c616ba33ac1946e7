"""The W3C extended log format: columns by the line `#Fields:`, as IIS, CloudFront and others write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.keys import family_of, field_of
from aiops_nb.core.types import BoolArray, IntArray

_FIELDS = b"#Fields:"
_COMMENT = b"#"
_MAX_COLUMNS = 100
_KNOWN: Mapping[str, str] = {
    "c-ip": "client_ip",
    "cs-method": "method",
    "cs-uri-stem": "path",
    "cs-uri": "path",
    "sc-status": "status_code",
    "sc-bytes": "response_bytes",
    "timestamp": "time",
}
Columns = dict[str, pa.Array]


class W3CFields:
    r"""Columns of text by field, by the header that came last; lines that begin with `#` are no requests.

    Parameters
    ----------
    fields
        Field by name in the header, before the names that are known.

    Examples
    --------
    >>> reader = W3CFields()
    >>> lines = [b"#Fields: date time cs-uri-stem sc-status time-taken", b"2026-11-26 12:00:00 /a 200 31"]
    >>> columns, positions, comments = reader.extract(pa.array(lines))
    >>> columns["time"].to_pylist(), columns["path"].to_pylist(), positions.tolist(), comments.tolist()
    ([b'2026-11-26 12:00:00'], [b'/a'], [1], [0])
    """

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._wished = dict(fields or {})
        self._names: tuple[str, ...] = ()
        self._separator = b" "

    @property
    def has_header(self) -> bool:
        """Whether a line `#Fields:` has come."""
        return bool(self._names)

    def extract(self, texts: pa.Array) -> tuple[Columns, IntArray, IntArray]:
        """The fields of the lines, the positions of those, (n,), and those of comments."""
        is_comment: BoolArray = pc.starts_with(texts, pattern=_COMMENT).to_numpy(zero_copy_only=False)
        comments: IntArray = np.flatnonzero(is_comment)
        parts = list(self._between(texts, comments))
        found = [(columns, positions) for columns, positions in parts if len(positions)]
        positions = np.concatenate([positions for _, positions in found]) if found else np.zeros(0, np.int64)
        names = dict.fromkeys(name for columns, _ in found for name in columns)
        merged = {
            name: pa.concat_arrays([c.get(name, pa.nulls(len(at), pa.binary())) for c, at in found]) for name in names
        }
        return merged, positions, comments

    def _between(self, texts: pa.Array, comments: IntArray) -> Iterator[tuple[Columns, IntArray]]:
        begin = 0
        for place in [*comments.tolist(), len(texts)]:
            columns, positions = self._split(texts[begin:place])
            yield columns, positions + begin
            if place < len(texts):
                self._take_header(texts[place].as_py())
            begin = place + 1

    def _take_header(self, line: bytes) -> None:
        if line.lower().startswith(_FIELDS.lower()):
            self._names = tuple(line[len(_FIELDS) :].decode("utf-8", "replace").split())[:_MAX_COLUMNS]
            self._separator = b"\t" if "x-edge-location" in self._names else b" "

    def _split(self, texts: pa.Array) -> tuple[Columns, IntArray]:
        if not self._names or not len(texts):
            return {}, np.zeros(0, np.int64)
        stripped = pc.replace_substring_regex(texts, r"[ \t\n]+$", "")
        if self._separator == b"\t" and not pc.any(pc.match_substring(stripped, b"\t")).as_py():
            stripped = pc.replace_substring_regex(stripped, " +", "\t")  # as pasted from a console
        words = pc.split_pattern(stripped, self._separator)
        fits = pc.list_value_length(words).to_numpy() == len(self._names)
        positions: IntArray = np.flatnonzero(fits)
        first = words.offsets.to_numpy()[:-1][positions]
        columns = {name: words.values.take(pa.array(first + place)) for place, name in enumerate(self._names)}
        return self._fields_of(columns), positions

    def _fields_of(self, columns: Mapping[str, pa.Array]) -> Columns:
        fields: Columns = {}
        families = {family_of(field) for name, field in self._wished.items() if name in columns}
        if "date" in columns and "time" in columns and "time" not in families:
            fields["time"] = pc.binary_join_element_wise(columns["date"], columns["time"], b" ")
            families.add("time")
        for name, column in columns.items():
            field = self._wished.get(name)
            if field is None:
                field = _field(name, self._names)
                if field is None or family_of(field) in families:
                    continue
            fields.setdefault(field, column)
        return fields


def _field(name: str, names: Sequence[str]) -> str | None:
    """CloudFront writes the time taken in seconds, IIS in milliseconds; of others the unit is not known."""
    if name != "time-taken":
        return _KNOWN.get(name) or (field_of(name) if name not in ("date", "time") else None)
    if "x-edge-location" in names:
        return "duration_seconds"
    is_iis = any(one in names for one in ("sc-win32-status", "sc-substatus", "s-sitename", "s-computername"))
    return "duration_ms" if is_iis else "request_time"

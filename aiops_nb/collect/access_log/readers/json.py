"""Access logs in JSON: an object a line, by the keys of common servers and loggers, also in objects inside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.keys import family_of, field_of_path, normalised, rank_of
from aiops_nb.collect.json_lines.unknown_fields import Fields, UnknownCount
from aiops_nb.core.types import Int32Array, IntArray

Path: TypeAlias = tuple[str, ...]
_Decoded: TypeAlias = tuple[Sequence[Any], Sequence[Fields]]
_Leaf: TypeAlias = str | int | float | None
_FEW = 8
_MAX_LEARNED = 32  # whoever writes the lines chooses the keys
_MAX_KNOWN = 64
_MAX_DEPTH = 4
_SAMPLE_BYTES = 64
_NO_LINE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_HEX = re.compile(rb"(?<!\\)((?:\\\\)*)((?:\\x[0-9A-Fa-f]{2})+)")
_NO_VALUE = re.compile(rb'("[ \t]*:[ \t]*)-?(?=[ \t]*[,}])')
_ZEROS = re.compile(rb'("[ \t]*:[ \t]*)0+(?=[0-9])')
_UNSAFE = re.compile(r'["\\\x00-\x1f]')  # no struct may have such a key
_CONTAINERS = frozenset(
    ["request", "req", "http_request", "httprequest", "response", "res", "url", "uri", "client", "source"]
)
_LOOKS_LIKE_TIME = re.compile(rb'^"[^"]*[:/T][^"]*"$')

# By the keys that only such a log has: the units and the meanings that are known then.
DIALECTS: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "caddy": (("request.uri", "request.proto"), {"duration": "duration_seconds", "ts": "time"}),
    "traefik_json": (("DownstreamStatus", "RequestPath"), {"Duration": "duration_ns"}),
    "envoy_json": (("response_code", "duration", "start_time"), {"duration": "duration_ms"}),
    "pino": (("req.method", "res.statusCode"), {"responseTime": "duration_ms"}),
    "ecs": (("event.duration", "http.request.method"), {"event.duration": "duration_ns"}),
    "gcp": (("httpRequest.status", "httpRequest.requestMethod"), {"httpRequest.latency": "duration_seconds"}),
    "cloudflare": (("EdgeResponseStatus", "ClientRequestURI"), {"EdgeStartTimestamp": "start_time"}),
    "echo": (("latency", "latency_human", "remote_ip"), {"latency": "duration_ns"}),
}


class JsonFields:
    """Chunks of JSON lines -> columns of text by field, and which lines they are of.

    The keys are learned from the lines: names of common servers and loggers in any case, also in objects inside the
    line (`request.uri`), and what `fields` names.

    Parameters
    ----------
    unknown
        Counts the keys that no field is for, and may keep them in the column `extra`.
    fields
        Field by key, before the keys that are known; a dot leads into an object.
    dialect
        One of `DIALECTS`; empty: by the keys of the lines.
    """

    def __init__(self, unknown: UnknownCount, fields: Mapping[str, str] | None = None, dialect: str = "") -> None:
        self._unknown = unknown
        self._layout = _Layout.empty(dict(fields or {}), dialect)
        self._fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

    @property
    def dialect(self) -> str:
        """Whose keys they are; empty if that is not known."""
        return self._layout.dialect

    @property
    def keys(self) -> dict[str, str]:
        """Field by key, as far as lines had it."""
        known = self._layout.known
        parents = {path[:depth] for path in known for depth in range(1, len(path))}
        return {".".join(path): name for path, name in known.items() if path not in parents}

    def extract(self, texts: pa.Array) -> tuple[dict[str, pa.Array], IntArray]:
        """The fields of the lines that are JSON objects, and their positions, (n,)."""
        parts: list[tuple[dict[str, pa.Array], IntArray]] = []
        fields: list[Fields] = []
        waiting: list[Any] = []
        layout, begin = self._layout, 0
        for part in _parts(texts):
            for lines, given in self._decode_part(part):
                if self._layout is not layout:
                    parts.append(_columns(layout, waiting, begin))
                    begin += len(waiting)
                    layout, waiting = self._layout, []
                waiting += lines
                fields += given
        parts.append(_columns(layout, waiting, begin))
        merged, positions = _merged(parts)
        return {**merged, "extra": pa.array(self._extras(fields), pa.string())}, positions

    def _extras(self, fields: list[Fields]) -> list[str | None]:
        return self._unknown.extras(fields, {path[0] for path in self._layout.known})

    def why_not(self, line: bytes) -> str:
        """What the decoder says of a line that is not used."""
        try:
            self._layout.decode_open(_repaired(line))
        except _NO_LINE as problem:
            return str(problem)
        return ""

    def keys_of(self, line: bytes) -> list[str]:
        """The keys of a line."""
        try:
            return list(self._fields.decode(_repaired(line)))
        except _NO_LINE:
            return []

    def _decode_part(self, texts: pa.Array) -> Iterator[_Decoded]:
        """All lines at once; if one is bad, each half so; few lines one by one."""
        offsets, data = _bytes_of(texts)
        whole = self._decode_alike(data[offsets[0] : offsets[-1]].tobytes())
        if whole is not None and len(whole[0]) == len(texts):
            yield whole
        elif len(texts) <= _FEW:
            for line in texts.to_pylist():
                yield self._decode_line(line)
        else:
            middle = len(texts) // 2
            yield from self._decode_part(texts[:middle])
            yield from self._decode_part(texts[middle:])

    def _decode_alike(self, chunk: bytes) -> _Decoded | None:
        """All lines at once, if each of them is one."""
        with suppress(*_NO_LINE):
            return self._layout.decode(chunk, self._unknown.keeps)
        with suppress(*_NO_LINE):
            fields = self._fields.decode_lines(chunk)
            self._layout = self._layout.and_those_of(fields)
            return self._layout.decode_open(chunk), fields
        return None

    def _decode_line(self, line: bytes) -> _Decoded:
        decoded = self._decode_alike(line)
        if decoded is None:
            repaired = _repaired(line)
            decoded = self._decode_alike(repaired) if repaired != line else None
        return decoded if decoded is not None and len(decoded[0]) == 1 else ([None], [])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Keys that came before, and what decodes lines that have them: with no other key, or with any."""

    wished: Mapping[str, str]
    chosen_dialect: str
    samples: Mapping[Path, bytes]
    known: Mapping[Path, str]
    others: tuple[str, ...]
    dialect: str = ""
    strict: msgspec.json.Decoder[Any] = field(repr=False)
    open: msgspec.json.Decoder[Any] = field(repr=False)
    attributes: Mapping[Path, str] = field(repr=False)

    @classmethod
    def empty(cls, wished: Mapping[str, str], dialect: str) -> _Layout:
        """Before any line."""
        return cls.of(wished, dialect, {}, ())

    @classmethod
    def of(
        cls, wished: Mapping[str, str], chosen_dialect: str, samples: Mapping[Path, bytes], others: tuple[str, ...]
    ) -> _Layout:
        """For lines with these keys, of which a value each is known."""
        names = {".".join(path) for path in samples}
        found = [name for name, (marks, _) in DIALECTS.items() if names.issuperset(marks)]
        dialect = chosen_dialect or (found[0] if found else "")
        known = _known(samples, wished, DIALECTS[dialect][1] if dialect else {})
        tree, attributes = _tree(known)
        more = {name: f"other_{place}" for place, name in enumerate(others) if name not in tree}
        return cls(
            wished=wished,
            chosen_dialect=chosen_dialect,
            samples=samples,
            known=known,
            others=tuple(more),
            dialect=dialect,
            strict=msgspec.json.Decoder(_struct(tree, more, forbids=True)),
            open=msgspec.json.Decoder(_struct(tree, {}, forbids=False)),
            attributes=attributes,
        )

    def decode(self, chunk: bytes, needs_values: bool) -> _Decoded:
        """Lines, and the keys of each that no field is for; with any values if those are not needed."""
        lines = self.strict.decode_lines(chunk)
        if not (self.others and lines):
            return lines, [{}] * len(lines)
        columns = [list(map(attrgetter(f"other_{place}"), lines)) for place in range(len(self.others))]
        if not needs_values and all(map(all, columns)):
            return lines, [self._given(tuple(column[0] for column in columns))] * len(lines)
        return lines, [self._given(values) for values in zip(*columns, strict=True)]

    def _given(self, values: tuple[Any, ...]) -> Fields:
        pairs = zip(self.others, values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    def decode_open(self, chunk: bytes) -> Sequence[Any]:
        """Lines that may have any other key."""
        return self.open.decode_lines(chunk)

    def values(self, path: Path, lines: Sequence[Any]) -> list[_Leaf]:
        """What the lines have at a path."""
        nodes: list[Any] = list(map(attrgetter(self.attributes[path[:1]]), lines))
        for depth in range(2, len(path) + 1):
            name = self.attributes[path[:depth]]
            nodes = [getattr(node, name, None) for node in nodes]
        if len(path) == 1 and normalised(path[0]) not in _CONTAINERS:
            return nodes
        return [None if isinstance(node, msgspec.Struct) else node for node in nodes]

    def and_those_of(self, fields: Sequence[Fields]) -> _Layout:
        """With the keys of such lines too, as long as they are few."""
        samples = dict(self.samples)
        others = dict.fromkeys(self.others)
        for given in {tuple(each): each for each in fields}.values():
            for path, raw in _paths(given, ()):
                if path not in samples and _is_wanted(path, self.wished):
                    samples[path] = raw[:_SAMPLE_BYTES]
            others.update(dict.fromkeys(name for name in given if not _UNSAFE.search(name)))
        tops = {path[0] for path in samples}
        others = {name: None for name in others if name not in tops}
        if len(others) > _MAX_LEARNED:
            others = dict.fromkeys(self.others)
        is_new = len(samples) > len(self.samples) or tuple(others) != self.others
        if len(samples) > _MAX_KNOWN or not is_new:
            return self
        return _Layout.of(self.wished, self.chosen_dialect, samples, tuple(others))


def _paths(given: Mapping[str, Any], before: Path) -> Iterator[tuple[Path, bytes]]:
    """Every key with its value as it is written, those of objects inside too."""
    for name, value in given.items():
        if _UNSAFE.search(name):
            continue
        path = (*before, name)
        raw = bytes(value)
        yield path, raw
        if raw.startswith(b"{") and len(path) < _MAX_DEPTH:
            with suppress(*_NO_LINE):
                yield from _paths(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]), path)


_MARKS = frozenset(mark for marks, _ in DIALECTS.values() for mark in marks)


def _is_wanted(path: Path, wished: Mapping[str, str]) -> bool:
    name = ".".join(path)
    return name in wished or name in _MARKS or field_of_path(path) is not None


def _known(samples: Mapping[Path, bytes], wished: Mapping[str, str], dialect: Mapping[str, str]) -> dict[Path, str]:
    """Field by path, the first of a field first; what the user or the dialect names is all of its family."""
    keys = {path: ".".join(path) for path in samples}
    of_user = {family_of(wished[key]) for key in keys.values() if key in wished}
    of_dialect = {family_of(dialect[key]) for key in keys.values() if key in dialect} - {"time"}
    known: dict[Path, str] = {}
    for path in sorted(samples, key=lambda path: (rank_of(keys[path]), path)):
        key = keys[path]
        name, taken = wished.get(key), set[str]()
        if name is None:
            name, taken = dialect.get(key), of_user
        if name is None:
            name, taken = _by_name(path, samples[path]), of_user | of_dialect
        if name is not None and family_of(name) not in taken:
            known[path] = name
    return known


def _by_name(path: Path, sample: bytes) -> str | None:
    """The field of a key that nobody named; some call the moment of a request `requestTime`."""
    name = field_of_path(path)
    return "time" if name == "request_time" and _LOOKS_LIKE_TIME.match(sample) else name


def _tree(known: Mapping[Path, str]) -> tuple[dict[str, Any], dict[Path, str]]:
    """Keys as a tree, its leaves empty, and the attribute of each place in it."""
    tree: dict[str, Any] = {}
    attributes: dict[Path, str] = {}
    for path in known:
        node = tree
        for depth, name in enumerate(path, start=1):
            attributes.setdefault(path[:depth], f"at_{len(attributes)}")
            node = node.setdefault(name, {"": attributes[path[:depth]]})
    return tree, attributes


def _struct(tree: Mapping[str, Any], others: Mapping[str, str], *, forbids: bool) -> Any:
    fields: list[tuple[str, Any, Any]] = []
    for name, node in tree.items():
        if not name:
            continue
        kind: Any = str | int | float | None
        if len(node) > 1 or normalised(name) in _CONTAINERS:
            kind = kind | _struct(node, {}, forbids=False)
        fields.append((node[""], kind, msgspec.field(default=None, name=name)))
    fields += [(at, msgspec.Raw, msgspec.field(default=None, name=name)) for name, at in others.items()]
    return msgspec.defstruct("JsonAccessLine", fields, gc=False, forbid_unknown_fields=forbids)


def _repaired(line: bytes) -> bytes:
    r"""With what nginx writes without `escape=json`: \x22, bytes that are no UTF-8, a bare - or 000 for nothing."""
    line = line.decode("utf-8", "replace").encode()
    return _ZEROS.sub(rb"\1", _NO_VALUE.sub(rb"\1null", _HEX.sub(_unescaped, line)))


def _unescaped(found: re.Match[bytes]) -> bytes:
    decoded = bytes.fromhex(found[2].replace(rb"\x", b"").decode("ascii")).decode("utf-8", "replace")
    return found[1] + msgspec.json.encode(decoded)[1:-1]


def _columns(layout: _Layout, lines: Sequence[Any], begin: int) -> tuple[dict[str, pa.Array], IntArray]:
    """Columns of lines of one layout, None where a line is no object, and the positions of the others."""
    positions = np.array([position for position, line in enumerate(lines, begin) if line is not None], np.int64)
    present = lines if len(positions) == len(lines) else [line for line in lines if line is not None]
    columns: dict[str, pa.Array] = {}
    for path, name in layout.known.items():
        values = layout.values(path, present)
        if values.count(None) < len(values):
            columns[name] = _text(values, columns.get(name))
    return columns, positions


def _bytes_of(texts: pa.Array) -> tuple[Int32Array, npt.NDArray[np.uint8]]:
    """Where each text begins, and the last ends, (n + 1,), in the bytes of all."""
    _, offsets, data = texts.buffers()
    return np.frombuffer(offsets, np.int32)[texts.offset :][: len(texts) + 1], np.frombuffer(data or b"", np.uint8)


def _parts(texts: pa.Array) -> Iterator[pa.Array]:
    """Neighbours that may be objects, each other line alone: it would only be in the way."""
    offsets, data = _bytes_of(texts)
    begin = 0
    for place in np.flatnonzero(data[offsets[:-1]] != ord("{")).tolist():
        yield texts[begin:place]
        yield texts[place : place + 1]
        begin = place + 1
    yield texts[begin:]


def _merged(columns: Sequence[tuple[dict[str, pa.Array], IntArray]]) -> tuple[dict[str, pa.Array], IntArray]:
    """Parts with different fields as one, null where a part has none."""
    present = [(part, positions) for part, positions in columns if len(positions)]
    if len(present) == 1:
        return present[0]
    names = dict.fromkeys(name for part, _ in present for name in part)
    merged = {
        name: pa.concat_arrays([part.get(name, pa.nulls(len(positions), pa.binary())) for part, positions in present])
        for name in names
    }
    return merged, np.concatenate([positions for _, positions in present]) if present else np.zeros(0, np.int64)


def _text(values: list[_Leaf], before: pa.Array | None) -> pa.Array:
    """As bytes; a key that is of the same field fills what an earlier one left open."""
    try:
        column = pa.array(values, pa.string()).cast(pa.binary())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # numbers
        column = pa.array([None if value is None else str(value) for value in values], pa.string()).cast(pa.binary())
    return column if before is None else pc.coalesce(before, column)

"""From what people write to what the types take: short names, durations, variables; guided by the types alone."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import inspect as types

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.quantities import parse_duration
from aiops_nb.core.references import substituted

SECONDS = "_seconds"
READ_NOW = "pipeline"  # it is recorded and must mean the same wherever it is replayed


def short_name(name: str) -> str:
    """A field as it may be written: `timeout_seconds` is `timeout`.

    Examples
    --------
    >>> short_name("timeout_seconds"), short_name("record")
    ('timeout', 'record')
    """
    return name.removesuffix(SECONDS)


def spelled_out(value: Any, kind: types.Type, where: str = "", name: str = "") -> Any:
    """The value with field names in full, durations in seconds, and variables replaced where no text is wanted.

    Knows nothing of any configuration but `kind`, so that what is added to a struct is covered.

    Parameters
    ----------
    value
        Mappings, sequences and scalars; structs are taken apart.
    kind
        What is expected, from `msgspec.inspect.type_info`.
    where, name
        Path of the value, and the field that it is for.

    Raises
    ------
    ConfigError
        For an unknown key, an unknown `type`, something that is no duration, a variable that is not set.

    Examples
    --------
    >>> from aiops_nb.features.params import WindowParams
    >>> spelled_out({"tick": "500ms", "span_ticks": 10}, types.type_info(WindowParams))
    {'tick_seconds': 0.5, 'span_ticks': 10}
    """
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    choices = kind.types if isinstance(kind, types.UnionType) else (kind,)
    if isinstance(value, Mapping):
        return _mapping(value, choices, where)
    if isinstance(value, (list, tuple)):
        return _sequence(value, choices, where, name)
    return _scalar(value, choices, where, name)


def _mapping(value: Mapping[Any, Any], choices: tuple[types.Type, ...], where: str) -> Any:
    structs = [choice for choice in choices if isinstance(choice, types.StructType)]
    if structs:
        return _struct(value, _chosen(value, structs, where), where)
    dicts = [choice.value_type for choice in choices if isinstance(choice, types.DictType)]
    kind = dicts[0] if dicts else types.AnyType()
    return {key: spelled_out(one, kind, _below(where, key)) for key, one in value.items()}


def _chosen(value: Mapping[Any, Any], structs: list[types.StructType], where: str) -> types.StructType:
    field = structs[0].tag_field
    if field is None:
        return structs[0]
    by_tag = {struct.tag: struct for struct in structs}
    if value.get(field) not in by_tag:
        raise unknown(_below(where, field), "a known type", value.get(field), map(str, by_tag))
    return by_tag[value[field]]


def _struct(value: Mapping[Any, Any], struct: types.StructType, where: str) -> dict[str, Any]:
    fields = {field.encode_name: field for field in struct.fields}
    known = {short_name(name): name for name in fields} | {name: name for name in fields}
    out: dict[str, Any] = {} if struct.tag_field is None else {struct.tag_field: struct.tag}
    for key, one in value.items():
        place = _below(where, key)
        if key == struct.tag_field:
            continue
        if key not in known:
            raise unknown(place, "a known key", key, map(short_name, fields))
        if known[key] in out:
            raise ConfigError(f"{place}: expected {short_name(key)} or {short_name(key)}{SECONDS}, got both")
        out[known[key]] = spelled_out(one, fields[known[key]].type, place, known[key])
    return out


def _sequence(value: Iterable[Any], choices: tuple[types.Type, ...], where: str, name: str) -> Any:
    items = [choice.item_type for choice in choices if isinstance(choice, (types.VarTupleType, types.ListType))]
    kind = items[0] if items else types.AnyType()
    return [spelled_out(one, kind, f"{where}[{index}]", name) for index, one in enumerate(value)]


def _scalar(written: Any, choices: tuple[types.Type, ...], where: str, name: str) -> Any:
    takes_text = any(isinstance(choice, types.StrType) for choice in choices)
    value = written
    if isinstance(written, str) and "${" in written and (not takes_text or where.partition(".")[0] == READ_NOW):
        text = substituted(written, where)
        value = text if takes_text else _read_scalar(text)
    if isinstance(value, str) and name.endswith(SECONDS):
        value = parse_duration(value)
        if value is None:
            raise ConfigError.at(where, "a duration such as 250ms, 30s, 5m, 2h or 14d", written)
    if isinstance(value, str) and any(isinstance(choice, types.FloatType) for choice in choices):
        value = _read_scalar(value)  # YAML takes 1e-6 for text
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError.at(where, "a finite number", written)
    return _one_of(value, written, choices, where)


def _one_of(value: Any, written: Any, choices: tuple[types.Type, ...], where: str) -> Any:
    """The value; as text where that is one of the named ones: YAML reads `http_version: 1.1` as a number."""
    named = [text for choice in choices if isinstance(choice, types.LiteralType) for text in choice.values]
    others = [choice for choice in choices if not isinstance(choice, (types.LiteralType, types.NoneType))]
    if isinstance(value, (int, float)) and str(value) in named:
        return str(value)
    if named and not others and value is not None and value not in named:
        raise unknown(where, "a known value", written, map(str, named))
    return value


def _read_scalar(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _below(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)

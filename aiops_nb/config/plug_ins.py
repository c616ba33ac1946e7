"""The model of a configuration that names collectors of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union, cast

import msgspec

from aiops_nb.collect.params import BuiltInParams, CollectorParams
from aiops_nb.collect.registry import BUILT_IN, plug_ins
from aiops_nb.config.model import Config


def model_of(contents: Any) -> type[Config]:
    """`Config`, or the same with the collectors of plug-ins; these are loaded only for a type that is not built in.

    Parameters
    ----------
    contents
        What was read: mappings, sequences and scalars, or structs.

    Examples
    --------
    >>> model_of({"collectors": [{"type": "synthetic"}]}) is Config
    True
    """
    known = {spec.type for spec in BUILT_IN}
    if _types(contents) <= known:
        return Config
    return _extended(tuple(one.spec.params for one in plug_ins() if one.spec is not None))


def _types(contents: Any) -> set[object]:
    listed = contents.get("collectors") if isinstance(contents, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return set()
    return {text for one in listed if isinstance(text := _type(one), str)}


def _type(one: Any) -> object:
    if isinstance(one, msgspec.Struct):
        return one.__struct_config__.tag
    return one.get("type") if isinstance(one, Mapping) else None


@cache
def _extended(params: tuple[type[CollectorParams], ...]) -> type[Config]:
    if not params:
        return Config
    kinds: Any = Union[(BuiltInParams, *params)]
    field: Any = ("collectors", tuple[kinds, ...], ())
    model: Any = msgspec.defstruct("Config", [field], bases=(Config,), frozen=True, kw_only=True)
    return cast(type[Config], model)


def plain(config: Config) -> Config:
    """The same as a `Config`, whichever model it was read by.

    Examples
    --------
    >>> plain(Config()) == Config()
    True
    """
    if type(config) is Config:
        return config
    return Config(**{name: getattr(config, name) for name in Config.__struct_fields__})


def load_problems() -> str:
    """Which plug-ins could not be loaded, to follow the complaint about an unknown type; empty if all could.

    Examples
    --------
    >>> load_problems()
    ''
    """
    broken = [f"{one.name} of {one.package} ({one.problem})" for one in plug_ins() if one.problem]
    return f"; plug-ins not loaded: {', '.join(broken)}" if broken else ""

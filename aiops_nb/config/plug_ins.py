"""The model of a configuration that names collectors or detectors of plug-ins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Union, cast

import msgspec

from aiops_nb.collect.params import BuiltInParams, CollectorParams
from aiops_nb.collect.registry import BUILT_IN, plug_ins
from aiops_nb.config.model import Config
from aiops_nb.detect.registry import plugged_in
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.plug_ins import pipeline_model, plain_pipeline


def model_of(contents: Any) -> type[Config]:
    """`Config`, or the same with what plug-ins offer; these are loaded only for a type that is not built in.

    Parameters
    ----------
    contents
        What was read: mappings, sequences and scalars, or structs.

    Examples
    --------
    >>> model_of({"collectors": [{"type": "synthetic"}]}) is Config
    True
    """
    collectors: tuple[type[CollectorParams], ...] = ()
    if not _types(_listed(contents, "collectors")) <= {spec.type for spec in BUILT_IN}:
        collectors = tuple(one.spec.params for one in plug_ins() if one.spec is not None)
    return _extended(collectors, pipeline_model(_at(contents, "pipeline")))


def _at(contents: Any, name: str) -> Any:
    return contents.get(name) if isinstance(contents, Mapping) else getattr(contents, name, None)


def _listed(contents: Any, name: str) -> Sequence[Any]:
    listed = _at(contents, name)
    return listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()


def _types(structs: Iterable[Any]) -> set[str]:
    return {text for one in structs if isinstance(text := _type(one), str)}


def _type(one: Any) -> object:
    if isinstance(one, msgspec.Struct):
        return one.__struct_config__.tag
    return one.get("type") if isinstance(one, Mapping) else None


@cache
def _extended(collectors: tuple[type[CollectorParams], ...], pipeline: type[PipelineParams]) -> type[Config]:
    fields: list[tuple[str, Any, Any]] = []
    if collectors:
        kinds: Any = Union[(BuiltInParams, *collectors)]
        fields.append(("collectors", tuple[kinds, ...], ()))
    if pipeline is not PipelineParams:
        fields.append(("pipeline", pipeline, msgspec.field(default_factory=pipeline)))
    if not fields:
        return Config
    return cast(type[Config], msgspec.defstruct("Config", fields, bases=(Config,), frozen=True, kw_only=True))


def without_unknown_collectors(contents: dict[str, Any]) -> dict[str, Any]:
    """The same without the collectors whose `type` no installed package offers.

    Examples
    --------
    >>> without_unknown_collectors({"collectors": [{"type": "synthetic"}, {"type": "of_another_machine"}]})
    {'collectors': [{'type': 'synthetic'}]}
    """
    known = {spec.type for spec in BUILT_IN}
    listed = _listed(contents, "collectors")
    unknown = _types(listed) - known
    if not unknown:
        return contents
    unknown -= {one.spec.type for one in plug_ins() if one.spec is not None}
    return {**contents, "collectors": [one for one in listed if _type(one) not in unknown]}


def plain(config: Config) -> Config:
    """The same as a `Config`, whichever model it was read by.

    Examples
    --------
    >>> plain(Config()) == Config()
    True
    """
    if type(config) is Config:
        return config
    fields = {name: getattr(config, name) for name in Config.__struct_fields__}
    return Config(**{**fields, "pipeline": plain_pipeline(config.pipeline)})


def load_problems() -> str:
    """Which plug-ins could not be loaded, to follow the complaint about an unknown type; empty if all could.

    Examples
    --------
    >>> load_problems()
    ''
    """
    broken = [f"{one.name} of {one.package} ({one.problem})" for one in plug_ins() if one.problem]
    broken += [f"{one.name} of {one.package} ({one.problem})" for one in plugged_in() if one.problem]
    return f"; plug-ins not loaded: {', '.join(broken)}" if broken else ""

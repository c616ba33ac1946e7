"""The model of a configuration that names collectors, detectors or notifiers of plug-ins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Union, cast

import msgspec

import aiops_nb.collect.params as collect_params
import aiops_nb.collect.registry as collect_registry
import aiops_nb.notify.params as notify_params
import aiops_nb.notify.registry as notify_registry
from aiops_nb.config.model import Config
from aiops_nb.core.lazy import PlugIn
from aiops_nb.detect.registry import plugged_in as detectors_plugged_in
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.plug_ins import pipeline_model, plain_pipeline
from aiops_nb.notify.params import NotifyParams

_COLLECTORS = frozenset(spec.type for spec in collect_registry.BUILT_IN)
_CHANNELS = frozenset(spec.type for spec in notify_registry.BUILT_IN)


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
    collectors: tuple[type[msgspec.Struct], ...] = ()
    channels: tuple[type[msgspec.Struct], ...] = ()
    if not _types(_listed(contents, "collectors")) <= _COLLECTORS:
        collectors = tuple(one.spec.params for one in collect_registry.plugged_in() if one.spec is not None)
    if not _types(_listed(_at(contents, "notify"), "channels")) <= _CHANNELS:
        channels = tuple(one.spec.params for one in notify_registry.plugged_in() if one.spec is not None)
    return _extended(collectors, channels, pipeline_model(_at(contents, "pipeline")))


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
def _extended(
    collectors: tuple[type[msgspec.Struct], ...],
    channels: tuple[type[msgspec.Struct], ...],
    pipeline: type[PipelineParams],
) -> type[Config]:
    fields: list[tuple[str, Any, Any]] = []
    if collectors:
        kinds: Any = Union[(collect_params.BuiltInParams, *collectors)]
        fields.append(("collectors", tuple[kinds, ...], ()))
    if channels:
        fields.append(("notify", _with_channels(channels), None))
    if pipeline is not PipelineParams:
        fields.append(("pipeline", pipeline, msgspec.field(default_factory=pipeline)))
    return cast(type[Config], _derived(Config, fields)) if fields else Config


def _with_channels(channels: tuple[type[msgspec.Struct], ...]) -> Any:
    kinds: Any = Union[(notify_params.BuiltInParams, *channels)]
    return _derived(NotifyParams, [("channels", tuple[kinds, ...], ())]) | None


def _derived(base: type[msgspec.Struct], fields: list[tuple[str, Any, Any]]) -> Any:
    return msgspec.defstruct(base.__name__, fields, bases=(base,), frozen=True, kw_only=True)


def without_unknown(contents: dict[str, Any]) -> dict[str, Any]:
    """The same without the collectors and the channels whose `type` no installed package offers.

    Routes are without the names of such channels.

    Examples
    --------
    >>> without_unknown({"collectors": [{"type": "synthetic"}, {"type": "of_another_machine"}]})
    {'collectors': [{'type': 'synthetic'}]}
    >>> without_unknown({"notify": {"channels": [{"type": "of_another_machine", "name": "a"}], "default": ["a"]}})
    {'notify': {'channels': [], 'default': []}}
    """
    return _without_unknown_channels(_without_unknown_collectors(contents))


def _without_unknown_collectors(contents: dict[str, Any]) -> dict[str, Any]:
    listed = _listed(contents, "collectors")
    unknown = _types(listed) - _COLLECTORS
    if not unknown:
        return contents
    unknown -= {one.spec.type for one in collect_registry.plugged_in() if one.spec is not None}
    return {**contents, "collectors": [one for one in listed if _type(one) not in unknown]}


def _without_unknown_channels(contents: dict[str, Any]) -> dict[str, Any]:
    notify = contents.get("notify")
    listed = _listed(notify, "channels")
    unknown = _types(listed) - _CHANNELS
    if not unknown or not isinstance(notify, dict):
        return contents
    unknown -= {one.spec.type for one in notify_registry.plugged_in() if one.spec is not None}
    names = {one["name"] for one in listed if _type(one) in unknown and isinstance(one.get("name"), str)}
    kept = {key: value if key == "channels" else _without_names(value, names) for key, value in notify.items()}
    return {**contents, "notify": {**kept, "channels": [one for one in listed if _type(one) not in unknown]}}


def _without_names(value: Any, names: set[str]) -> Any:
    """What routes and defaults say, without these channels, however deep they lie."""
    if isinstance(value, dict):
        return {key: one if key == "matchers" else _without_names(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_names(one, names) for one in value if not (isinstance(one, str) and one in names)]
    return value


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
    changed = {"pipeline": plain_pipeline(config.pipeline), "notify": _plain_notify(config.notify)}
    return Config(**{**fields, **changed})


def _plain_notify(notify: NotifyParams | None) -> NotifyParams | None:
    if notify is None or type(notify) is NotifyParams:
        return notify
    return NotifyParams(**{name: getattr(notify, name) for name in NotifyParams.__struct_fields__})


def load_problems() -> str:
    """Which plug-ins could not be loaded, to follow the complaint about an unknown type; empty if all could.

    Examples
    --------
    >>> load_problems()
    ''
    """
    found: list[PlugIn[Any]] = [
        *collect_registry.plugged_in(),
        *detectors_plugged_in(),
        *notify_registry.plugged_in(),
    ]
    broken = [f"{one.name} of {one.package} ({one.problem})" for one in found if one.problem]
    return f"; plug-ins not loaded: {', '.join(broken)}" if broken else ""

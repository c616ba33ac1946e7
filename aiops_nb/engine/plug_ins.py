"""The model of a pipeline whose rules name detectors of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union, cast

import msgspec

from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.registry import DETECTORS, DetectorParams, plugged_in
from aiops_nb.engine.params import DEFAULT_FEATURE_RULES, PipelineParams
from aiops_nb.rules.feature.params import FeatureRuleParams


def pipeline_model(contents: object) -> type[PipelineParams]:
    """`PipelineParams`, or the same with detectors of plug-ins; these are loaded only for a type that is not built in.

    Parameters
    ----------
    contents
        What was read: mappings, sequences and scalars, or structs.

    Examples
    --------
    >>> pipeline_model({"feature_rules": [{"detector": {"type": "faults"}}]}) is PipelineParams
    True
    """
    rules = _at(contents, "feature_rules")
    listed = rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()
    types = (_type(_at(rule, "detector")) for rule in listed)
    if {name for name in types if isinstance(name, str)} <= set(DETECTORS):
        return PipelineParams
    return _extended(tuple(one.spec.params for one in plugged_in() if one.spec is not None))


def _at(contents: object, name: str) -> Any:
    return contents.get(name) if isinstance(contents, Mapping) else getattr(contents, name, None)


def _type(detector: Any) -> object:
    if isinstance(detector, msgspec.Struct):
        return detector.__struct_config__.tag
    return detector.get("type") if isinstance(detector, Mapping) else None


@cache
def _extended(detectors: tuple[type[msgspec.Struct], ...]) -> type[PipelineParams]:
    if not detectors:
        return PipelineParams
    kinds: Any = Union[(DetectorParams, *detectors)]
    rule: Any = _derived(FeatureRuleParams, ("detector", kinds, RobustZParams()))
    rules: Any = tuple[rule, ...]
    return cast(type[PipelineParams], _derived(PipelineParams, ("feature_rules", rules, DEFAULT_FEATURE_RULES)))


def _derived(base: type[msgspec.Struct], field: tuple[str, Any, Any]) -> Any:
    return msgspec.defstruct(base.__name__, [field], bases=(base,), frozen=True, kw_only=True)


def plain_pipeline(pipeline: PipelineParams) -> PipelineParams:
    """The same as `PipelineParams`, whichever model it was read by.

    Examples
    --------
    >>> plain_pipeline(PipelineParams()) == PipelineParams()
    True
    """
    if type(pipeline) is PipelineParams:
        return pipeline
    rules = tuple(FeatureRuleParams(**_fields(rule)) for rule in pipeline.feature_rules)
    return PipelineParams(**{**_fields(pipeline), "feature_rules": rules})


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}

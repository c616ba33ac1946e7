"""What of a pipeline runs code of other packages: nothing that an untrusted recording may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import DETECTORS
from aiops_nb.engine.params import PipelineParams

RUNS_OTHERS = frozenset({"estimator"})


def foreign_detectors(pipeline: PipelineParams | Mapping[str, object] | None) -> dict[str, str]:
    """Detectors that are code of other packages, by their path: estimators and plug-ins.

    Parameters
    ----------
    pipeline
        Parameters, or what was read of them and not yet converted: then no plug-in is loaded.

    Examples
    --------
    >>> rule = {"alertname": "odd", "detector": {"type": "estimator", "estimator": "pyod.models.ecod.ECOD"}}
    >>> foreign_detectors({"feature_rules": [rule]})
    {'pipeline.feature_rules[0].detector': 'pyod.models.ecod.ECOD'}
    """
    rules = _at(pipeline, "feature_rules")
    listed = rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()
    found = {}
    for place, rule in enumerate(listed):
        detector = _at(rule, "detector")
        kind = _type(detector)
        if kind is not None and (kind in RUNS_OTHERS or kind not in DETECTORS):
            name = _at(detector, "estimator") if kind in RUNS_OTHERS else kind
            found[f"pipeline.feature_rules[{place}].detector"] = str(name)
    return found


def require_trust(pipeline: PipelineParams | Mapping[str, object] | None, *, trust: bool) -> None:
    """Raise if the pipeline runs code of other packages and its origin is not trusted.

    Parameters
    ----------
    pipeline
        See `foreign_detectors`.
    trust
        Whether the one who opens the recording vouches for it.

    Raises
    ------
    ConfigError
        Naming the first such detector.

    Examples
    --------
    >>> require_trust(PipelineParams(), trust=False)
    >>> require_trust({"feature_rules": [{"detector": {"type": "a_plug_in"}}]}, trust=True)
    """
    for path, name in () if trust else foreign_detectors(pipeline).items():
        raise ConfigError(
            f"{path}: the recording names code of another package, {name!r};"
            " if you know where the recording comes from, open it with trust=True"
        )


def _at(contents: object, name: str) -> Any:
    return contents.get(name) if isinstance(contents, Mapping) else getattr(contents, name, None)


def _type(detector: Any) -> str | None:
    if isinstance(detector, msgspec.Struct):
        return str(detector.__struct_config__.tag)
    if not isinstance(detector, Mapping):
        return None
    kind = detector.get("type")
    return kind if isinstance(kind, str) else None

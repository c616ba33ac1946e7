"""Configurations in, from YAML, mappings and Python; and out again, for recordings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from aiops_nb.config.faults import placed, read_yaml, readable
from aiops_nb.config.model import Config
from aiops_nb.config.normalise import READ_NOW, spelled_out
from aiops_nb.config.plug_ins import load_problems, model_of, plain
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import spec_of, threshold_for
from aiops_nb.engine.check import check_pipeline
from aiops_nb.engine.params import PipelineParams
from aiops_nb.rules.feature.params import NO_THRESHOLD, FeatureRuleParams

_UNKNOWN_TYPE = re.compile(
    r"(collectors\[\d+\]|notify\.channels\[\d+\]|pipeline\.feature_rules\[\d+\]\.detector)\.type: "
)
ConfigSource: TypeAlias = Config | PipelineParams | str | Path | Mapping[str, Any] | None


def parse_config(text: str, where: str = "config") -> Config:
    """Read YAML.

    Raises
    ------
    ConfigError
        Naming the line and the path of the fault, what was expected and what came.

    Examples
    --------
    >>> parse_config("interval: 5s").interval_seconds
    5.0
    >>> parse_config("host_metric: false")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: config:1: host_metric: expected a known key, got 'host_metric'; did you mean ...
    """
    return converted(read_yaml(text, where), where, text)


def converted(
    raw: Any, where: str, text: str | None = None, finish: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> Config:
    """Plain values as a config; `finish` changes them last, when names are in full and variables are replaced.

    Raises
    ------
    ConfigError
        Naming the path of the fault, what was expected and what came.
    """
    given = {} if raw is None else raw
    model = model_of(given)
    try:
        contents = spelled_out(given, _kind(model))
        contents = contents if finish is None else finish(contents)
    except ConfigError as problem:
        raise placed(_with_plug_ins(str(problem)), given, text, where) from None
    try:
        return plain(msgspec.convert(contents, model))
    except msgspec.ValidationError as problem:
        raise placed(readable(problem, contents), given, text, where) from None


@cache
def _kind(model: type[Config]) -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(model)


def _with_plug_ins(problem: str) -> str:
    return problem + load_problems() if _UNKNOWN_TYPE.match(problem) else problem


def load_config(source: ConfigSource) -> Config:
    """A config from whatever `config=` may be: None (defaults), a path, a mapping, or one already made.

    Raises
    ------
    ConfigError
        If the file cannot be read, or its contents are not a config.

    Examples
    --------
    >>> load_config({"interval": "500ms", "host_metrics": False}).interval_seconds
    0.5
    """
    return with_thresholds(_loaded(source))


def _loaded(source: ConfigSource) -> Config:
    if source is None:
        return Config()
    if isinstance(source, Config):
        return source
    if isinstance(source, PipelineParams):
        return Config(pipeline=source)
    if isinstance(source, Mapping):
        return converted(source, "config")
    if isinstance(source, (str, Path)):
        return _from_file(Path(source))
    raise ConfigError.at("config", "a Config, a mapping or the path of a YAML file", source)


def located(problem: ConfigError, source: ConfigSource) -> ConfigError:
    """A fault that was found after reading, with the file, the line and the words of its source."""
    if isinstance(source, (str, Path)):
        text = _text_of(Path(source))
        return placed(str(problem), read_yaml(text, str(source)), text, str(source))
    return placed(str(problem), source, None, "config") if isinstance(source, Mapping) else problem


def _from_file(path: Path) -> Config:
    return parse_config(_text_of(path), str(path))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text in UTF-8"
        raise ConfigError(f"config: expected a readable YAML file, got {path} ({why})") from None


def dump_config(config: Config) -> str:
    """The whole config as YAML, defaults written out, references as references.

    Examples
    --------
    >>> parse_config(dump_config(Config())) == Config()
    True
    """
    from ruamel.yaml import YAML

    plain = msgspec.to_builtins(config)
    plain[READ_NOW] = _escaped(plain[READ_NOW])
    text = StringIO()
    writer = YAML()  # keeps the order of keys
    writer.width = 1 << 20
    writer.dump(plain, text)
    return text.getvalue()


def _escaped(value: Any) -> Any:
    """What was read once must not be taken for a reference when it is read again."""
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(one) for one in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def with_thresholds(config: Config) -> Config:
    """The same, each rate of false alarms turned into the threshold that healthy series pass so often.

    A rule is left as it is where this cannot be: its detector's scores are not calibrated, or it says a threshold too.

    Examples
    --------
    >>> from aiops_nb.detect.kernels.faults import FaultsParams
    >>> rule = FeatureRuleParams(
    ...     alertname="slow", feature="duration_p95_seconds", false_alarms_per_day=0.5, detector=FaultsParams()
    ... )
    >>> config = with_thresholds(Config(pipeline=replace(Config().pipeline, feature_rules=(rule,))))
    >>> config.pipeline.feature_rules[0].threshold > 50, config.pipeline.feature_rules[0].false_alarms_per_day
    (True, None)
    """
    pipeline = config.pipeline
    rules = tuple(_with_threshold(rule, pipeline.window.tick_seconds) for rule in pipeline.feature_rules)
    return (
        replace(config, pipeline=replace(pipeline, feature_rules=rules)) if rules != pipeline.feature_rules else config
    )


def _with_threshold(rule: FeatureRuleParams, interval_seconds: float) -> FeatureRuleParams:
    rate, said = rule.false_alarms_per_day, rule.threshold != NO_THRESHOLD
    if rate is None or said or spec_of(rule.detector).scale is None:
        return rule
    threshold = round(threshold_for(rule.detector, rate, interval_seconds), 2)
    return replace(rule, threshold=threshold, false_alarms_per_day=None)


def checked_config(source: ConfigSource) -> Config:
    """A config of which a pipeline can be built, from whatever `config=` may be.

    Raises
    ------
    ConfigError
        With the file and the line, if there is one, and the path of the fault.

    Examples
    --------
    >>> checked_config({"pipeline": {"feature_rules": [{"alertname": "a", "feature": "error_ration"}]}})
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: config: pipeline.feature_rules[0].feature: expected a feature of requests, ...
    """
    config = load_config(source)
    try:
        check_pipeline(config.pipeline)
    except ConfigError as problem:
        raise located(problem, source) from None
    return config

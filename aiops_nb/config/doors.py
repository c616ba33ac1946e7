"""Configurations in, from YAML, mappings and Python; and out again, for recordings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from aiops_nb.config.alarm_rates import with_thresholds
from aiops_nb.config.messages import readable
from aiops_nb.config.places import placed, read_yaml
from aiops_nb.config.run import Config
from aiops_nb.config.spelling import READ_NOW, spelled_out
from aiops_nb.core.errors import ConfigError
from aiops_nb.pipeline_params import PipelineParams

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
    return _converted(read_yaml(text, where), where, text)


def _converted(raw: Any, where: str, text: str | None = None) -> Config:
    given = {} if raw is None else raw
    try:
        contents = spelled_out(given, _kind())
    except ConfigError as problem:
        raise placed(str(problem), given, text, where) from None
    try:
        return msgspec.convert(contents, Config)
    except msgspec.ValidationError as problem:
        raise placed(readable(problem, contents), given, text, where) from None


@cache
def _kind() -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(Config)


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
        return _converted(source, "config")
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
    import yaml

    plain = msgspec.to_builtins(config)
    plain[READ_NOW] = _escaped(plain[READ_NOW])
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    return text


def _escaped(value: Any) -> Any:
    """What was read once must not be taken for a reference when it is read again."""
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(one) for one in value]
    return value.replace("${", "$${") if isinstance(value, str) else value

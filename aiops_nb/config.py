"""The configuration of a run: YAML to typed values and back, checked at the door; kept in every recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from aiops_nb.core.errors import ConfigError
from aiops_nb.pipeline_params import PipelineParams

Positive = Annotated[float, Meta(gt=0)]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What decides how a stream is collected and judged.

    Attributes
    ----------
    timeout_seconds
        Longest wait for an answer; less than the interval. None: 90 % of it, at most 10 s.
    host_metrics
        Whether this host's CPU, memory, disk and network are sampled too.
    self_observation_seconds
        How often the monitor samples itself (rows, lag, queue, rejected lines) as `samples` of the source `aiops_nb`;
        null: never.
    connectivity
        URLs outside of what is watched, such as two well-known sites: when all fail, it is our own network, and one
        alert `observer_offline` stands for those of all targets.
    pipeline
        Windows, rules and detectors.

    Examples
    --------
    >>> parse_config("host_metrics: false").host_metrics
    False
    >>> parse_config("host_metric: false")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: config: Object contains unknown field `host_metric`; known here: ...
    """

    timeout_seconds: Positive | None = None
    host_metrics: bool = True
    self_observation_seconds: Positive | None = 5.0
    connectivity: tuple[str, ...] = ()
    pipeline: PipelineParams = field(default_factory=PipelineParams)


def parse_config(text: str, where: str = "config") -> Config:
    """Read YAML.

    Raises
    ------
    ConfigError
        Naming the path of the fault, what was expected and what came.
    """
    import yaml

    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise ConfigError(f"{where}: expected YAML, got {' '.join(str(problem).split())}") from None
    return _converted(raw, where)


def _converted(raw: object, where: str) -> Config:
    try:
        return msgspec.convert({} if raw is None else raw, Config)
    except msgspec.ValidationError as problem:
        known = ", ".join(Config.__struct_fields__)
        hint = f"; known here: {known}" if "unknown field" in str(problem) and " - at" not in str(problem) else ""
        raise ConfigError(f"{where}: {problem}{hint}") from None


def load_config(source: Config | PipelineParams | str | Path | dict[str, object] | None) -> Config:
    """A config from whatever `config=` may be: None (defaults), a path, a mapping, or one already made.

    Raises
    ------
    ConfigError
        If the file cannot be read, or its contents are not a config.
    """
    if source is None:
        return Config()
    if isinstance(source, Config):
        return source
    if isinstance(source, PipelineParams):
        return Config(pipeline=source)
    if isinstance(source, dict):
        return _converted(source, "config")
    return _from_file(Path(source))


def _from_file(path: Path) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"config: expected a readable YAML file, got {path} ({problem})") from None
    return parse_config(text, str(path))


def dump_config(config: Config) -> str:
    """The whole config as YAML, defaults written out.

    Examples
    --------
    >>> parse_config(dump_config(Config())) == Config()
    True
    """
    import yaml

    text: str = yaml.safe_dump(msgspec.to_builtins(config), sort_keys=False, allow_unicode=True)
    return text

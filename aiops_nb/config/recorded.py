"""The configuration of a recording: text from outside, whose references stay references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiops_nb.config.faults import read_yaml
from aiops_nb.config.load import converted
from aiops_nb.config.model import Config
from aiops_nb.config.normalise import READ_NOW
from aiops_nb.core.earlier import upgrade_config
from aiops_nb.core.errors import ConfigError

_OPEN, _LITERAL = "${", "$${"


def recorded_config(text: str, where: str) -> Config:
    """Read the `config.yaml` of a recording; names of earlier formats are understood.

    No reference is resolved: a recording of somebody else must not read the environment or the files of whoever opens
    it. In `pipeline`, `${NAME}` is that text; elsewhere references stay as they are written.

    Parameters
    ----------
    text
        YAML as `dump_config` writes it.
    where
        The path, for messages.

    Raises
    ------
    ConfigError
        Naming the path of the fault, what was expected and what came.

    Examples
    --------
    >>> text = "pipeline: {row_rules: [{alertname: '${HOME}', condition: failed}], together: null}"
    >>> config = recorded_config(text, "config.yaml")
    >>> config.pipeline.row_rules[0].alertname, config.pipeline.grouping
    ('${HOME}', None)
    """
    raw = read_yaml(text, where) or {}
    if not isinstance(raw, dict):
        raise ConfigError.at(where, "a mapping", raw)
    try:
        upgraded = upgrade_config(raw)
    except (AttributeError, TypeError):  # a list or text where a mapping belongs; the types below say where
        upgraded = raw
    escaped = {key: _mapped(value, _literal if key == READ_NOW else _escaped) for key, value in upgraded.items()}
    return converted(escaped, where, finish=_with_references)


def _with_references(contents: dict[str, Any]) -> dict[str, Any]:
    """Outside of `pipeline`, references as they were written."""
    return {key: value if key == READ_NOW else _mapped(value, _unescaped) for key, value in contents.items()}


def _literal(text: str) -> str:
    return text.replace(_LITERAL, _OPEN).replace(_OPEN, _LITERAL)


def _escaped(text: str) -> str:
    return text.replace(_OPEN, _LITERAL)


def _unescaped(text: str) -> str:
    return text.replace(_LITERAL, _OPEN)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(one, change) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(one, change) for one in value]
    return change(value) if isinstance(value, str) else value

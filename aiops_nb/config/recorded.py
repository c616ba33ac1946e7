"""The configuration of a recording: text from outside, whose references stay references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from aiops_nb.config.faults import read_yaml
from aiops_nb.config.load import converted, dump_config
from aiops_nb.config.model import Config
from aiops_nb.config.normalise import READ_NOW
from aiops_nb.config.plug_ins import without_unknown
from aiops_nb.core.earlier import upgrade_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_bare_reference, is_whole_reference
from aiops_nb.core.urls import recordable_url
from aiops_nb.engine.trust import require_trust
from aiops_nb.record.commands import refuse_estimators

_OPEN, _LITERAL = "${", "$${"


NOT_RECORDED = "<not recorded>"


def recording_yaml(config: Config) -> str:
    """The YAML of a configuration for a recording, which others may read.

    Without the literal queries and user info of URLs (of targets, collectors and notification channels), and without
    the literal bodies of probes; references stay as they are written. The names of targets do not change.

    Examples
    --------
    >>> text = recording_yaml(Config(targets=("http://127.0.0.1/health?customer=7",)))
    >>> "http://127.0.0.1/health" in text, "customer" in text
    (True, False)
    """
    notify = config.notify
    if notify is not None:
        notify = replace(notify, channels=tuple(recordable(channel) for channel in notify.channels))
    return dump_config(
        replace(
            config,
            notify=notify,
            targets=tuple(recordable(target) for target in config.targets),
            connectivity=tuple(recordable_url(url) for url in config.connectivity),
            collectors=tuple(recordable(collector) for collector in config.collectors),
        )
    )


def recordable(of: Any) -> Any:
    """A URL, a target or a collector without what a recording does not hold: see `recording_yaml`."""
    if isinstance(of, str):
        return recordable_url(of)
    changes = {}
    if isinstance(url := getattr(of, "url", None), str):
        changes["url"] = recordable_url(url)
    if isinstance(body := getattr(of, "body", None), str) and not _holds_nothing(body):
        changes["body"] = NOT_RECORDED
    return replace(of, **changes) if changes else of


def _holds_nothing(text: str) -> bool:
    return not text or is_whole_reference(text) or is_bare_reference(text)


def recorded_config(text: str, where: str, *, trust: bool = False) -> Config:
    """Read the `config.yaml` of a recording; names of earlier formats are understood.

    Collectors and channels of plug-ins that are not installed here are left out: the recorded rows need none, and a
    replay notifies nobody.

    No reference is resolved: a recording of somebody else must not read the environment or the files of whoever opens
    it. In `pipeline`, `${NAME}` is that text; elsewhere references stay as they are written.

    Parameters
    ----------
    text
        YAML as `dump_config` writes it.
    where
        The path, for messages.
    trust
        Whether its rules may name estimators of other libraries.

    Raises
    ------
    RecordingError
        If a rule names an estimator and the recording is not trusted.
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
    upgraded = without_unknown(upgraded)
    if not trust:
        refuse_estimators(upgraded, where)
        require_trust(upgraded.get(READ_NOW), trust=False)  # plug-ins: before one is loaded to read its parameters
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

"""Names of format 2 of a recording, translated to today's; plain JSON values in, plain JSON values out.

Only a reader of recordings needs it: what a user writes is refused with the name that is expected. It lies in `core`
because the reader of recordings (`record`) cannot import the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiops_nb.core.errors import ConfigError

Plain = dict[str, Any]

PIPELINE_KEYS = {"together": "grouping", "ready_rules": "enable", "without": "disable"}
ROW_RULE_KEYS = {"most_by_chance_per_day": "max_chance_alerts_per_day"}
FEATURE_RULE_KEYS = {
    "clean": "preprocess",
    "support": "min_support",
    "needs": "min_samples",
    "backed_by": "corroborated_by",
    "beyond_chance": "significance",
    "explained_by": "components",
}
SIGNIFICANCE_KEYS = {"most_chance": "max_probability", "min_usual_ratio": "min_baseline_ratio"}
CLIENT_RULE_KEYS = {"min_times_usual": "min_times_baseline"}
LABEL_VALUES = {"together": "grouping"}  # of the label `detector`
COLLECTOR_KEYS: dict[str, dict[str, str]] = {
    "tcp_client": {"sample_target": "host_label"},
    "websocket": {"sample_target": "host_label"},
    "tcp_listener": {"host": "host_label"},
    "udp_listener": {"host": "host_label"},
}
HOST_METRICS_KEYS = {"host": "host_label"}
SHAPE_KEYS = {"time_zone": "timezone"}


def upgrade_command(plain: Plain) -> Plain:
    """Body of a command item, as it is written today; one that is so already is returned as it is.

    Raises
    ------
    ConfigError
        If it is no command of format 2: none or several at once.

    Examples
    --------
    >>> upgrade_command({"set_threshold": {"alertname": "cpu_spike", "threshold": 2.0}})
    {'type': 'set_threshold', 'alertname': 'cpu_spike', 'threshold': 2.0}
    >>> upgrade_command({"start": {"pipeline": {"without": ["http_4xx"]}, "sources": ["probe"]}})
    {'type': 'start', 'pipeline': {'disable': ['http_4xx']}, 'sources': ['probe']}
    >>> upgrade_command({"stop": True}), upgrade_command({"source_ended": "feed"})
    ({'type': 'stop'}, {'type': 'source_ended', 'source': 'feed'})
    """
    if "type" in plain:
        return plain
    match {name: value for name, value in plain.items() if value is not None and value is not False}:
        case {"start": dict(start), **rest} if not rest.keys() - {"history"}:
            pipeline = {"pipeline": upgrade_pipeline(start["pipeline"])} if "pipeline" in start else {}
            return {"type": "start"} | start | pipeline | rest
        case {"set_threshold": dict(threshold), **rest} if not rest:
            return {"type": "set_threshold"} | threshold
        case {"source_ended": str(source), **rest} if not rest:
            return {"type": "source_ended", "source": source}
        case {"stop": True, **rest} if not rest:
            return {"type": "stop"}
        case _:
            raise ConfigError.at("command", "one of start, set_threshold, source_ended, stop", sorted(plain))


def upgrade_pipeline(plain: Plain) -> Plain:
    """Parameters of a pipeline under today's names; of keys that have been renamed nothing else changes.

    Examples
    --------
    >>> upgrade_pipeline({"feature_rules": [{"alertname": "a", "needs": {"span_count": 5.0}}], "together": None})
    {'feature_rules': [{'alertname': 'a', 'min_samples': {'span_count': 5.0}}], 'grouping': None}
    """
    pipeline = _renamed(plain, PIPELINE_KEYS)
    rules: dict[str, Callable[[Plain], Plain]] = {
        "row_rules": lambda rule: _renamed(rule, ROW_RULE_KEYS),
        "feature_rules": _feature_rule,
        "client_rules": lambda rule: _renamed(rule, CLIENT_RULE_KEYS),
        "inhibit_rules": _inhibit_rule,
    }
    for name, upgrade in rules.items():
        if isinstance(pipeline.get(name), list):
            pipeline[name] = [upgrade(rule) for rule in pipeline[name]]
    return pipeline


def upgrade_config(plain: Plain) -> Plain:
    """A recorded configuration under today's names.

    Examples
    --------
    >>> upgrade_config({"collectors": [{"type": "udp_listener", "port": 9000, "host": "db"}], "host_metrics": True})
    {'collectors': [{'type': 'udp_listener', 'port': 9000, 'host_label': 'db'}], 'host_metrics': True}
    """
    config = dict(plain)
    if isinstance(config.get("pipeline"), dict):
        config["pipeline"] = upgrade_pipeline(config["pipeline"])
    if isinstance(config.get("host_metrics"), dict):
        config["host_metrics"] = _renamed(config["host_metrics"], HOST_METRICS_KEYS)
    if isinstance(config.get("collectors"), list):
        config["collectors"] = [_collector(one) for one in config["collectors"]]
    return config


def _renamed(plain: Plain, names: Mapping[str, str]) -> Plain:
    return {names.get(name, name): value for name, value in plain.items()}


def _feature_rule(plain: Plain) -> Plain:
    rule = _renamed(plain, FEATURE_RULE_KEYS)
    if isinstance(rule.get("significance"), dict):
        rule["significance"] = _renamed(rule["significance"], SIGNIFICANCE_KEYS)
    return rule


def _inhibit_rule(plain: Plain) -> Plain:
    matchers = {name: _matchers(plain[name]) for name in ("source_matchers", "target_matchers") if name in plain}
    return plain | matchers


def _matchers(plain: Plain) -> Plain:
    detectors = plain.get("detector")
    if not isinstance(detectors, list):
        return plain
    return plain | {"detector": [LABEL_VALUES.get(value, value) for value in detectors]}


def _collector(plain: Plain) -> Plain:
    collector = _renamed(plain, COLLECTOR_KEYS.get(str(plain.get("type")), {}))
    if isinstance(collector.get("shape"), dict):
        collector["shape"] = _renamed(collector["shape"], SHAPE_KEYS)
    return collector

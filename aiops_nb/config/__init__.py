"""The configuration of a run: YAML to typed values and back, checked on input; kept in every recording."""

from __future__ import annotations

from aiops_nb.config.load import ConfigSource, dump_config, load_config, located, parse_config
from aiops_nb.config.model import Config, HostMetricsParams

__all__ = ["Config", "ConfigSource", "HostMetricsParams", "dump_config", "load_config", "located", "parse_config"]

"""The configuration of a run: YAML to typed values and back, checked at the door; kept in every recording."""

from aiops_nb.config.doors import ConfigSource, dump_config, load_config, located, parse_config
from aiops_nb.config.run import Config, HostMetricsParams

__all__ = ["Config", "ConfigSource", "HostMetricsParams", "dump_config", "load_config", "located", "parse_config"]

"""Every collector that a configuration can name: one table, extended by the entry points `aiops_nb.collectors`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

from aiops_nb.collect import params as built_in
from aiops_nb.collect.params import CollectorParams
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.lazy import PlugIn
from aiops_nb.core.protocols import Collector
from aiops_nb.core.references import resolved, without_value
from aiops_nb.core.spec_table import SpecTable

if TYPE_CHECKING:
    import pandas as pd

GROUP = "aiops_nb.collectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSpec:
    """A collector that a configuration can name by its `type`.

    A plug-in offers one as an entry point of the group `aiops_nb.collectors`, under its `type`.

    Parameters
    ----------
    params
        A subclass of `CollectorParams`; its `tag` is the `type`. Its fields are the arguments of the factory.
    factory
        What makes the collector: a class or function, or `"package.module:Name"`, which is imported when needed.
    purpose
        What it collects, in one line.
    opens_on_creation
        Whether making one binds a port or opens a connection. `check` then makes none.
    takes_clock
        Whether the factory also takes `clock`, which keeps it to real time.
    resolves
        Fields whose references (`env:`, `file:`, `${NAME}`) the collector resolves itself, because it shows them.

    Raises
    ------
    ConfigError
        Naming the field that cannot be.

    Examples
    --------
    >>> class QueueParams(CollectorParams, frozen=True, kw_only=True, tag="queue"):
    ...     name: str = "queue"
    >>> CollectorSpec(params=QueueParams, factory="my_package.queue:Queue", purpose="Jobs of a queue").type
    'queue'
    """

    params: type[CollectorParams]
    factory: str | Callable[..., Collector]
    purpose: str
    opens_on_creation: bool = False
    takes_clock: bool = False
    resolves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_struct = isinstance(self.params, type) and issubclass(self.params, CollectorParams)
        if not is_struct or not isinstance(self.params.__struct_config__.tag, str):
            raise ConfigError.at("params", "a subclass of CollectorParams with a tag", self.params)
        is_path = isinstance(self.factory, str) and self.factory.count(":") == 1
        if not (is_path or callable(self.factory)):
            raise ConfigError.at("factory", "a callable or 'package.module:Name'", self.factory)

    @property
    def type(self) -> str:
        """The name in a configuration."""
        return str(self.params.__struct_config__.tag)

    def load(self) -> Callable[..., Collector]:
        """The factory; its module is imported now.

        Returns
        -------
        callable
            Takes the fields of `params` as keywords.
        """
        if not isinstance(self.factory, str):
            return self.factory
        module, _, name = self.factory.partition(":")
        factory: Callable[..., Collector] = getattr(import_module(module), name)
        return factory

    def make(self, params: CollectorParams, where: str) -> Collector:
        """A collector with these parameters, their references resolved; errors name the path below `where`.

        Parameters
        ----------
        params
            Of the collector.
        where
            Path in the configuration, which errors begin with.

        Returns
        -------
        Collector
            Not polled yet.
        """
        arguments: dict[str, Any] = msgspec.structs.asdict(resolved(params, where))
        arguments |= {name: getattr(params, name) for name in self.resolves}
        if self.takes_clock:
            arguments["clock"] = SystemClock()
        factory = self._loaded_at(where)
        try:
            return factory(**arguments)
        except ConfigError as problem:
            raise without_value(problem, params, where) from None

    def _loaded_at(self, where: str) -> Callable[..., Collector]:
        try:
            return self.load()
        except (ImportError, AttributeError) as problem:
            raise ConfigError.at(
                f"{where}.type", "a collector that can be loaded", f"{self.type} ({problem})"
            ) from None

    def check(self, params: CollectorParams, where: str) -> None:
        """Raise what `make` would raise, without touching the network.

        Parameters
        ----------
        params
            Of the collector.
        where
            Path in the configuration, which errors begin with.
        """
        if self.opens_on_creation:
            resolved(params, where)
        else:
            self.make(params, where).close()


BUILT_IN = (
    CollectorSpec(
        params=built_in.AccessLogParams,
        factory="aiops_nb.collect.access_log.collector:AccessLog",
        purpose="requests of an access log, followed as it grows",
    ),
    CollectorSpec(
        params=built_in.LogParams,
        factory="aiops_nb.collect.log.collector:LogFile",
        purpose="messages of a log, plain or JSON, followed as it grows",
    ),
    CollectorSpec(
        params=built_in.TcpClientParams,
        factory="aiops_nb.collect.sockets.tcp_client:TcpClient",
        purpose="JSON lines from a TCP server",
    ),
    CollectorSpec(
        params=built_in.TcpListenerParams,
        factory="aiops_nb.collect.sockets.tcp_listener:TcpListener",
        purpose="JSON lines from programs that connect to a local TCP port",
        opens_on_creation=True,
    ),
    CollectorSpec(
        params=built_in.UdpListenerParams,
        factory="aiops_nb.collect.sockets.udp_listener:UdpListener",
        purpose="JSON lines in datagrams sent to a local UDP port",
        opens_on_creation=True,
    ),
    CollectorSpec(
        params=built_in.WebSocketParams,
        factory="aiops_nb.collect.websocket.client:WebSocketClient",
        purpose="JSON messages of a WebSocket feed",
        resolves=("url",),
    ),
    CollectorSpec(
        params=built_in.HeartbeatParams,
        factory="aiops_nb.collect.heartbeat.collector:Heartbeats",
        purpose="reports of jobs, by a request to a local port or a file that is written",
        opens_on_creation=True,
    ),
    CollectorSpec(
        params=built_in.PrometheusParams,
        factory="aiops_nb.collect.prometheus.scraper:PrometheusScraper",
        purpose="metrics of a page in the text format of Prometheus or in OpenMetrics",
        resolves=("url", "token"),
    ),
    CollectorSpec(
        params=built_in.SyntheticParams,
        factory="aiops_nb.collect.synthetic.stream:SyntheticStream",
        purpose="synthetic requests and host samples with known faults",
        takes_clock=True,
    ),
)
_TABLE = SpecTable(group=GROUP, kind=CollectorSpec, built_in=BUILT_IN)


def plugged_in() -> list[PlugIn[CollectorSpec]]:
    """What the entry points `aiops_nb.collectors` of installed packages offer; each is loaded now.

    Examples
    --------
    >>> all((one.spec is None) == bool(one.problem) for one in plugged_in())
    True
    """
    return _TABLE.plugged_in()


def collectors() -> pd.DataFrame:
    """Every collector that a configuration can name, those of plug-ins included.

    Returns
    -------
    pandas.DataFrame
        A row per collector with its `type`, `purpose`, `parameters`, the `package` it is of, and for a plug-in that
        cannot be used its `problem`, else an empty string.

    Examples
    --------
    >>> table = collectors().set_index("type")
    >>> table.loc["tcp_client", "purpose"], table.loc["tcp_client", "package"]
    ('JSON lines from a TCP server', 'aiops_nb')
    """
    return _TABLE.frame()


def spec_of(params: CollectorParams) -> CollectorSpec:
    """The spec that such parameters are of.

    Raises
    ------
    ConfigError
        If no collector has them.

    Examples
    --------
    >>> spec_of(built_in.SyntheticParams()).type
    'synthetic'
    """
    return _TABLE.spec_of(params)


def make_collector(params: CollectorParams, where: str) -> Collector:
    """The collector that these parameters describe, with their references resolved.

    Raises
    ------
    ConfigError
        With the path of the fault below `where`.

    Examples
    --------
    >>> stream = make_collector(built_in.SyntheticParams(targets=2, rate_hz=50), "collectors[0]")
    >>> stream.name, stream.params.targets
    ('synthetic', ('service-0', 'service-1'))
    """
    return _spec_at(params, where).make(params, where)


def check_collector(params: CollectorParams, where: str) -> None:
    """Find what would keep the collector from being made, without touching the network.

    Raises
    ------
    ConfigError, MissingExtraError
        As `make_collector` does.
    """
    _spec_at(params, where).check(params, where)


def _spec_at(params: CollectorParams, where: str) -> CollectorSpec:
    try:
        return spec_of(params)
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None

"""What every collector promises, whatever it collects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

import pytest

from aiops_nb.collect.heartbeat import HeartbeatJob, Heartbeats
from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.params import (
    AccessLogParams,
    BuiltInParams,
    CollectorParams,
    HeartbeatParams,
    LogParams,
    PrometheusParams,
    SyntheticParams,
    TcpClientParams,
    TcpListenerParams,
    UdpListenerParams,
    WebSocketParams,
)
from aiops_nb.collect.registry import BUILT_IN, CollectorSpec
from aiops_nb.collect.synthetic import KINDS, Fault, SyntheticStream
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.protocols import Collector
from aiops_nb.testing.collectors import CollectorContract, CollectorSpecContract
from tests import collect_servers as servers

INTERVAL_SECONDS = 0.3
Make = Callable[[str], Collector]
FAULTS = [
    Fault(kind=kind, start_seconds=0.1, length_seconds=600) for kind in KINDS if kind not in ("gap", "clock_step")
]


def _probe(url: str, transfer: str) -> Collector:
    targets = [ProbeTarget(url=f"{url}/{i}", timeout_seconds=0.25) for i in range(5)]
    return HttpProbe(
        targets, interval_seconds=INTERVAL_SECONDS, transfer="requests" if transfer == "requests" else "curl"
    )


COLLECTORS: dict[str, Make] = {
    "probe": lambda url: _probe(url, "curl"),
    "probe by requests": lambda url: _probe(url, "requests"),
    "probe of nobody": lambda _: _probe("http://127.0.0.1:1", "curl"),
    "heartbeats": lambda _: Heartbeats(
        [HeartbeatJob(name="nightly", period_seconds=60.0)], port=0, token="t", interval_seconds=INTERVAL_SECONDS
    ),
    "host": lambda _: HostMetrics(interval_seconds=INTERVAL_SECONDS),
    "synthetic": lambda _: SyntheticStream(rate_hz=50),
    "synthetic, paced": lambda _: SyntheticStream(rate_hz=50, clock=SystemClock()),
    "synthetic with hosts": lambda _: SyntheticStream(rate_hz=50, hosts=2, faults=FAULTS),
    "synthetic with hosts, paced": lambda _: SyntheticStream(rate_hz=50, hosts=2, faults=FAULTS, clock=SystemClock()),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with servers.raw_server(servers.reply_ok) as port:
        yield f"http://127.0.0.1:{port}"


class TestPolledCollectors(CollectorContract):
    """Those that ask or make up their rows themselves."""

    @pytest.fixture(params=COLLECTORS)
    def collector(self, request: pytest.FixtureRequest, url: str) -> Iterator[Collector]:
        self.times_are_real = "synthetic" not in request.param
        made = COLLECTORS[request.param](url)
        yield made
        made.close()


EXAMPLES: dict[str, CollectorParams] = {
    "access_log": AccessLogParams(path="access.log"),
    "log": LogParams(path="app.log"),
    "tcp_client": TcpClientParams(host="192.0.2.1", port=9),
    "tcp_listener": TcpListenerParams(port=1),
    "udp_listener": UdpListenerParams(port=1),
    "websocket": WebSocketParams(url="ws://192.0.2.1/"),
    "heartbeat": HeartbeatParams(jobs=(HeartbeatJob(name="nightly", period_seconds=60.0),), port=1, token="env:PATH"),
    "prometheus": PrometheusParams(url="http://192.0.2.1/metrics"),
    "synthetic": SyntheticParams(),
}


class TestSpecs(CollectorSpecContract):
    """The table of ours."""

    @pytest.fixture(params=BUILT_IN, ids=lambda spec: spec.type)
    def spec(self, request: pytest.FixtureRequest) -> CollectorSpec:
        assert isinstance(request.param, CollectorSpec)
        return request.param

    @pytest.fixture
    def params(self, spec: CollectorSpec) -> CollectorParams:
        return EXAMPLES[spec.type]


def test_the_table_has_every_struct_that_a_configuration_can_hold() -> None:
    assert {spec.params for spec in BUILT_IN} == set(get_args(BuiltInParams))

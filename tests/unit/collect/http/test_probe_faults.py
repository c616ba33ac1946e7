"""Faults that mitmproxy makes in front of httpbin: each becomes what it was in a row, and an alert that says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from aiops_nb import watch
from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.monitor.monitor import Monitor
from tests import collect_servers as servers
from tests.collect_faults import FaultyProxy, faulty_proxy, installed

# The first run installs mitmproxy, which takes a minute; it is kept in pytest's cache.
pytestmark = pytest.mark.timeout(400)
DELAY_SECONDS = 0.6


@pytest.fixture(scope="module")
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyProxy]:
    program = installed(request.config.cache.mkdir("mitmproxy"))
    with servers.httpbin() as url, faulty_proxy(program, url, tmp_path_factory.mktemp("proxy")) as running:
        yield running


def ask(proxy: FaultyProxy, transfer: TransferKind, faults: list[str]) -> list[dict[str, Any]]:
    """The first row under each fault."""
    targets = [
        ProbeTarget(url=f"{proxy.url}/json", name=fault or "none", headers={"X-Fault": fault} if fault else {})
        for fault in faults
    ]
    probe = HttpProbe(targets, interval_seconds=2.5, transfer=transfer)
    rows: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + 20
    while len(rows) < len(faults) and time.monotonic() < deadline:
        batch = probe.poll(0.5)
        assert batch is not None
        rows = {row["target"]: row for row in batch.to_pylist()} | rows
    probe.close()
    return [rows[name] for name in probe.target_names]


@pytest.mark.parametrize("transfer", ["curl", "pycurl", "requests"])
def test_each_fault_is_seen_as_what_it_is(proxy: FaultyProxy, transfer: TransferKind) -> None:
    none, overloaded, killed, slow, hangs = ask(proxy, transfer, ["", "503", "kill", str(DELAY_SECONDS), "5"])
    assert (none["status_code"], none["error_type"]) == (200, None)
    assert (overloaded["status_code"], overloaded["error_type"]) == (503, None)
    assert (killed["status_code"], killed["error_type"]) == (None, "reset")
    assert (slow["status_code"], slow["error_type"]) == (200, None)
    assert slow["duration_seconds"] > DELAY_SECONDS
    assert transfer == "requests" or slow["wait_seconds"] > DELAY_SECONDS, "it is the reply that was late"
    assert (hangs["status_code"], hangs["error_type"]) == (None, "timeout")
    assert 2.2 < hangs["duration_seconds"] < 2.5


def wait_for_alert(monitor: Monitor, name: str) -> str:
    """The summary of an alert, when it fires."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for change in monitor.firing():
            if change.labels["alertname"] == name:
                return change.summary
        monitor.wait(0.05)
    raise AssertionError(f"{name} did not fire: {monitor.alerts()}")


def test_faults_in_a_running_service_become_alerts(proxy: FaultyProxy) -> None:
    shop = ProbeTarget(url=f"{proxy.url}/json", name="shop", timeout_seconds=0.8)
    with watch(shop, interval_seconds=1.0, config={"host_metrics": False}) as monitor:
        for fault, alertname, told in (
            ("kill", "request_failed", "shop: connection reset"),
            ("503", "http_5xx", "shop: 3 consecutive 503 responses"),
        ):
            proxy.fault_file.write_text(fault)
            assert wait_for_alert(monitor, alertname).startswith(told)
    proxy.fault_file.write_text("")


def test_a_delay_is_told_by_the_assertion_that_it_breaks(proxy: FaultyProxy) -> None:
    proxy.fault_file.write_text(str(DELAY_SECONDS))
    shop = ProbeTarget(url=f"{proxy.url}/json", name="shop", assertions=("duration < 400ms",), timeout_seconds=0.8)
    with watch(shop, interval_seconds=1.0, config={"host_metrics": False}) as monitor:
        summary = wait_for_alert(monitor, "request_failed")
    proxy.fault_file.write_text("")
    assert summary.startswith("shop: response check failed: duration < 400ms, got 6")

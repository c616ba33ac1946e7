"""Collectors as data: what each needs to be made, checked or refused."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from aiops_nb.collect.params import (
    AccessLogParams,
    CollectorParams,
    SyntheticParams,
    TcpClientParams,
    TcpListenerParams,
    WebSocketParams,
)
from aiops_nb.collect.registry import check_collector, make_collector
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError

NETWORK = ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto")


def test_references_are_read_when_the_collector_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FOLDER", "/var/log")
    log = make_collector(AccessLogParams(path="${LOG_FOLDER}/access.log"), "collectors[0]")
    assert str(log.path) == "/var/log/access.log"  # type: ignore[attr-defined]
    log.close()


def test_a_feed_that_cannot_be_reached_is_named_by_its_url_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    feed = make_collector(WebSocketParams(url="ws://127.0.0.1:9/${A_TOKEN}/x?key=${A_TOKEN}"), "collectors[0]")
    with pytest.raises(OSError, match=r"ws://127\.0\.0\.1:9/\$\{A_TOKEN\}/x: ") as raised:
        for _ in range(3):
            feed.poll(timeout_seconds=1)
    feed.close()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (AccessLogParams(path="${ABSENT_FOLDER}/a"), "collectors[0].path: expected an environment variable that is"),
        (AccessLogParams(path="a", pattern="(("), "collectors[0].pattern: expected"),
        (WebSocketParams(url="http://h/"), "collectors[0].url: expected ws://"),
        (WebSocketParams(url="env:A_TOKEN"), "collectors[0].url: expected ws://host[:port]/path or wss://..., got w"),
        (WebSocketParams(url="ws://h/", headers={"X-A": "env:ABSENT"}), "collectors[0].headers['X-A']: expected an"),
        (TcpListenerParams(port=9, listen_on="${ABSENT_HOST}"), "collectors[0].listen_on: expected an environment"),
        (
            SyntheticParams(targets=("a",), faults=(Fault(kind="gap", start_seconds=1, length_seconds=1, target="b"),)),
            "collectors[0].faults[0].target: expected one of a, got 'b'",
        ),
    ],
)
def test_what_cannot_be_made_is_named_with_its_place(
    params: CollectorParams, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    with pytest.raises(ConfigError) as raised:
        check_collector(params, "collectors[0]")
    assert message in str(raised.value) and "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "params",
    [TcpListenerParams(port=1), TcpClientParams(host="192.0.2.1", port=9), WebSocketParams(url="ws://192.0.2.1/")],
    ids=["tcp_listener", "tcp_client", "websocket"],
)
def test_a_check_neither_binds_nor_connects(params: CollectorParams) -> None:
    code = f"""
import sys
sys.addaudithook(lambda event, _: sys.exit(event) if event in {NETWORK!r} else None)
from aiops_nb.collect.params import *
from aiops_nb.collect.registry import check_collector
check_collector({type(params).__name__}(**{msgspec.structs.asdict(params)!r}), "here")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

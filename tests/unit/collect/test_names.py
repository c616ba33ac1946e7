"""Internationalised names: sent in ASCII by every transfer, refused by a check where they cannot be."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.names import ascii_host, ascii_url
from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.websocket.connection import host_of
from aiops_nb.config import parse_config
from aiops_nb.core.errors import ConfigError
from tests import collect_servers as servers
from tests.unit.collect.http.exchanges import TRANSFERS, probed, result

NAMES = {
    "bücher.example.test": "xn--bcher-kva.example.test",
    "BÜCHER.Example.test": "xn--bcher-kva.example.test",
    "faß.test": "xn--fa-hia.test",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "пример.испытание": "xn--e1afmkfd.xn--80akhbyknj4f",
    "bu\u0308cher.test": "xn--bcher-kva.test",  # not composed
    "bücher\u3002test": "xn--bcher-kva.test",  # the full stop of Chinese
    "\uff45xample.test": "example.test",  # full width
    "i❤.test": "xn--i-7iq.test",
    "xn--bcher-kva.test": "xn--bcher-kva.test",
    "my_service": "my_service",
    "a_b.ü.test": "a_b.xn--tda.test",
    "bücher.test.": "xn--bcher-kva.test.",
}
REFUSED = ["b\u00adü" + "c" * 70 + ".test", "ü" * 60 + ".test", ".ü.test", "ü..test", "a\u2028ü.test", "\ufffdü.test"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_in_ascii(name: str) -> None:
    assert ascii_host(name) == NAMES[name]


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ConfigError, match="a host name that can be written in ASCII"):
        ascii_host(name)
    with pytest.raises(ConfigError, match=r"targets\[0\]\.url: expected a"):
        parse_config(f'targets: ["http://{name}/"]')


@pytest.mark.parametrize("host", ["bücher.test", "faß.test"])
def test_a_client_looks_up_the_name_in_ascii(host: str) -> None:
    code = f"""
import sys
asked = []
sys.addaudithook(lambda event, given: asked.append(given[0]) if event == "socket.getaddrinfo" else None)
from aiops_nb.collect import TcpClient
client = TcpClient({host!r}, 9)
try:
    client.poll(0.1)
except OSError:
    pass
client.close()
print(asked)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert NAMES.get(host, ascii_host(host)) in done.stdout, done.stdout


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test", "ü" * 60])
def test_a_host_that_cannot_be_is_refused_by_a_client(host: str) -> None:
    with pytest.raises(ConfigError, match="host: expected a host name"):
        TcpClient(host, 9)
    with pytest.raises(ConfigError, match="url: expected"):
        ProbeTarget(url=f"http://{host}/")


def test_addresses_stay_and_paths_are_escaped() -> None:
    assert ascii_url("http://[::1]:80/ü") == "http://[::1]:80/%C3%BC"
    assert ascii_url("http://10.0.0.1/a%20b?x=%C3%BC&y=1+2") == "http://10.0.0.1/a%20b?x=%C3%BC&y=1+2"
    assert ascii_url("http://jö:ü@bücher.test/") == "http://j%C3%B6:%C3%BC@xn--bcher-kva.test/"


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_probe_asks_for_the_name_in_ascii(transfer: TransferKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a proxy, since the name is nobody's; so its name resolution is not ours."""
    asked: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        asked.append(servers.read_request(connection))
        moved = b"HTTP/1.1 302 Found\r\nLocation: http://m\xc3\xbcnchen.test/\xc3\xbc\r\n"
        status = moved if len(asked) == 1 else b"HTTP/1.1 200 OK\r\n"
        connection.sendall(status + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    with servers.raw_server(proxy) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        row = probed(transfer, "http://bücher.example.test/a?q=ü", headers={"Authorization": "x"})
    assert result(row) == (200, None)
    first, second = (request.decode("latin-1").split("\r\n") for request in asked)
    assert first[0] == "GET http://xn--bcher-kva.example.test/a?q=%C3%BC HTTP/1.1"
    assert "Host: xn--bcher-kva.example.test" in first and "Authorization: x" in first
    assert second[0] == "GET http://xn--mnchen-3ya.test/%C3%BC HTTP/1.1"
    assert "Authorization: x" not in second


def test_the_target_keeps_the_name_as_it_is_written() -> None:
    probe = HttpProbe([ProbeTarget(url="http://bücher.example.test/")], interval_seconds=1.0)
    probe.close()
    assert probe.target_names == ("http://bücher.example.test/",)


def test_a_feed_too() -> None:
    assert host_of("wss://bücher.test/feed") == "bücher.test"
    with pytest.raises(ConfigError, match="url: expected ws://host"):
        host_of("ws://ü..test/")

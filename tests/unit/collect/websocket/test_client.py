"""WebSocket feeds of real servers: Python's and Node's; what they say arrives, and a gap is a gap."""

from __future__ import annotations

import json
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from aiops_nb.collect.websocket.client import WebSocketClient
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError, MissingExtraError
from tests import collect_servers as servers
from tests.ports import free_port

NPM, NODE = shutil.which("npm"), shutil.which("node")
ROW = {"time": 1_780_000_000, "target": "a", "status_code": 200}
SAMPLE = {"time": 1_780_000_000, "target": "h", "metric": "cpu_ratio", "value": 0.5}
DEADLINE_SECONDS = 20
Handler = Callable[[ServerConnection], None]


@contextmanager
def serving(handler: Handler, **options: Any) -> Iterator[str]:
    """URL of a server that does so with every connection."""

    def quietly(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            handler(connection)

    with serve(quietly, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/feed?token=secret"
        server.shutdown()
    thread.join()


def saying(*messages: str | bytes) -> Handler:
    def handle(connection: ServerConnection) -> None:
        for message in messages:
            connection.send(message)
        connection.recv()  # until the client goes

    return handle


@contextmanager
def client_of(url: str, **options: Any) -> Iterator[WebSocketClient]:
    client = WebSocketClient(url, rng=random.Random(3), **options)
    try:
        yield client
    finally:
        client.close()
        assert client.poll(0) is None


def poll_until(client: WebSocketClient, name: str, count: int) -> int:
    """Rows that came until a counter has got so far."""
    rows, deadline = 0, time.monotonic() + DEADLINE_SECONDS
    while client.counters.get(name, 0) < count:
        assert time.monotonic() < deadline, client.counters
        batch = client.poll(0.05)
        assert batch is not None
        rows += batch.num_rows
    return rows


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize(
    ("messages", "rows"),
    [
        ([json.dumps(ROW)] * 3, 3),
        ([json.dumps(ROW, indent=2).encode()], 1),
        ([json.dumps([ROW] * 1000, indent=1)], 1000),
        (["[]", " \n", json.dumps(ROW)], 1),
    ],
)
def test_an_object_or_an_array_a_message(messages: list[str], rows: int, compression: str | None) -> None:
    with serving(saying(*messages), compression=compression) as url, client_of(url) as client:
        assert poll_until(client, "messages_total", len(messages)) == rows
        assert not client.rejected


def test_requests_and_samples_in_one_message_are_two_batches() -> None:
    with serving(saying(json.dumps([ROW, SAMPLE, ROW]))) as url, client_of(url) as client:
        batches = [client.poll(5), client.poll(5)]
        assert [batch.num_rows for batch in batches if batch is not None] == [2, 1]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("hello", "invalid_json"),
        ("[{", "wrong_type"),
        (b"\xff\xfe\x00", "invalid_json"),
        ("[1]", "wrong_type"),
        ('{"time": "noon"}', "wrong_type"),
        ("[" * 50_000, "wrong_type"),
        ('[{"a":' * 50_000, "wrong_type"),
        ('{"a":' * 50_000, "too_deep"),
    ],
)
def test_a_bad_message_is_counted_and_the_next_one_is_read(bad: str | bytes, reason: str) -> None:
    with serving(saying(json.dumps(ROW), bad, json.dumps([ROW]))) as url, client_of(url) as client:
        poll_until(client, "messages_total", 3)
        assert client.counters["rows_total"] == 2
        rejected = {name: total for name, total in client.counters.items() if name.startswith("rejected_") and total}
        assert rejected == {f"rejected_{reason}_total": 1}


def test_it_says_what_it_was_told_to_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_KEY", "k1")
    heard: list[str | bytes | None] = []

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        heard.extend([connection.request.path, connection.request.headers["X-Key"], connection.recv()])
        connection.send(json.dumps(ROW))
        connection.close(1001, "going")

    with (
        serving(handle) as url,
        client_of(url, say=('{"subscribe": "all"}',), headers={"X-Key": "env:FEED_KEY"}) as client,
    ):
        poll_until(client, "rows_total", 1)
        with pytest.raises(ConnectionError, match=r"^ws://127\.0\.0\.1:\d+/feed: .*going") as problem:
            poll_until(client, "rows_total", 2)
    assert heard == ["/feed?token=secret", "k1", '{"subscribe": "all"}']
    assert "secret" not in str(problem.value)


def test_it_comes_back_after_a_wait_and_invents_nothing() -> None:
    clock = ManualClock()

    def handle(connection: ServerConnection) -> None:
        connection.send(json.dumps([ROW] * 2))

    with serving(handle) as url, client_of(url, clock=clock) as client:
        for connections in (1, 2, 3):
            assert poll_until(client, "rows_total", 2 * connections) == 2
            with pytest.raises(ConnectionError):
                poll_until(client, "rows_total", 2 * connections + 1)
            with pytest.raises(ConnectionError):  # it waits
                client.poll(0)
            assert client.counters["connections_total"] == connections
            clock.advance(0.5)


def test_a_server_that_is_not_there_is_asked_less_and_less() -> None:
    clock = ManualClock()
    with client_of(f"ws://127.0.0.1:{free_port()}/", clock=clock) as client:
        waits = []
        for failures in range(1, 10):
            with pytest.raises(ConnectionError, match="refused"):
                client.poll(0)
            assert client.counters["failures_total"] == failures
            waits.append(client.backoff.left_seconds)
            clock.advance(waits[-1] + 1e-6)
    assert waits[4] > 2 * waits[0]
    assert all(15 <= wait <= 30 for wait in waits[7:])


@pytest.mark.parametrize(
    ("reply", "message"),
    [(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401"), (b"\x00\x01garbage\r\n\r\n", "."), (b"", ".")],
)
def test_a_server_that_is_no_websocket(reply: bytes, message: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(reply)

    with (
        servers.raw_server(answer) as port,
        client_of(f"ws://127.0.0.1:{port}/") as client,
        pytest.raises(ConnectionError, match=message),
    ):
        client.poll(1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_tls_with_an_authority_of_ones_own_and_a_subprotocol(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    chosen: list[str | None] = []

    def handle(connection: ServerConnection) -> None:
        chosen.append(connection.subprotocol)
        saying(json.dumps(ROW))(connection)

    tls = tls_of(authority.issue_cert("127.0.0.1"))
    options: dict[str, Any] = {"ca_file": str(tmp_path / "ca.pem"), "subprotocols": ("events.v2", "events.v1")}
    with (
        serving(handle, ssl=tls, subprotocols=["events.v1"]) as url,
        client_of(url.replace("ws:", "wss:"), **options) as client,
    ):
        poll_until(client, "rows_total", 1)
    assert chosen == ["events.v1"]


@pytest.mark.parametrize(
    ("name", "trusted", "message"), [("127.0.0.1", False, "issuer"), ("a.example", True, "mismatch")]
)
def test_tls_that_cannot_be_trusted_is_said_in_words(
    name: str, trusted: bool, message: str, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ca_file = str(tmp_path / "ca.pem") if trusted else None
    with (
        serving(saying(json.dumps(ROW)), ssl=tls_of(authority.issue_cert(name))) as url,
        client_of(url.replace("ws:", "wss:"), ca_file=ca_file) as client,
        pytest.raises(ConnectionError, match=rf"^wss://127.0.0.1:\d+/feed: TLS failed: .*{message}"),
    ):
        client.poll(5)


def test_a_server_that_answers_no_ping_is_a_gap() -> None:
    released = threading.Event()

    def handle(connection: ServerConnection) -> None:
        connection.send(json.dumps(ROW))
        with connection.protocol_mutex:  # it reads nothing any more, so it answers nothing
            released.wait(DEADLINE_SECONDS)

    with serving(handle) as url, client_of(url, ping_seconds=0.3) as client:
        poll_until(client, "rows_total", 1)
        try:
            with pytest.raises(ConnectionError, match="ping timeout"):
                poll_until(client, "rows_total", 2)
        finally:
            released.set()


def test_a_message_too_long_ends_the_connection_and_is_counted() -> None:
    clock, messages = ManualClock(), [json.dumps(ROW), json.dumps([ROW] * 1000)]
    with (
        serving(saying(*messages)) as url,
        client_of(url, max_message_bytes=1000, clock=clock) as client,
    ):
        for connections in (1, 2):
            with pytest.raises(ConnectionError, match=r"of more than max_message_bytes \(1,000\) ended the"):
                poll_until(client, "rows_total", connections + 1)
            assert client.counters["rejected_too_long_total"] == client.counters["rows_total"] == connections
            assert [one.reason for one in client.rejected] == ["too_long"] * connections
            clock.advance(30)


def test_a_slow_reader_slows_the_server() -> None:
    message, sent = json.dumps([ROW] * 1000), []
    stopped = threading.Event()

    def handle(connection: ServerConnection) -> None:
        while not stopped.is_set():
            connection.send(message)
            sent.append(len(message))

    with serving(handle, compression=None) as url, client_of(url) as client:
        poll_until(client, "messages_total", 1)
        before = -1
        while before != len(sent):  # until nothing is taken any more
            before = len(sent)
            stopped.wait(0.5)
        assert sum(sent) < 100_000_000
        stopped.set()
        assert poll_until(client, "messages_total", before) > 1000


def test_close_ends_a_poll_that_waits() -> None:
    with serving(saying(json.dumps(ROW))) as url:
        client = WebSocketClient(url)
        poll_until(client, "rows_total", 1)
        polled: list[object] = []
        polling = threading.Thread(target=lambda: polled.append(client.poll(60)), name="aiops-test-poll")
        polling.start()
        client.close()
        client.close()
        polling.join(5)
        assert polled == [None]


@pytest.mark.parametrize("url", ["http://a/", "ws://", "a", "ws://a:port/", "ws://a b/", "wss:///x"])
def test_an_url_that_is_none_of_a_websocket(url: str) -> None:
    with pytest.raises(ConfigError, match=r"url: expected ws://host\[:port\]/path or wss://"):
        WebSocketClient(url)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ping_seconds": 0}, "ping_seconds: expected a number > 0, got 0"),
        ({"max_message_bytes": 0}, "max_message_bytes: expected a number >= 1, got 0"),
        ({"ca_file": "/no/such.pem"}, "ca_file: expected a readable file, got '/no/such.pem'"),
        ({"ca_file": __file__}, "ca_file: expected a file of certificates in PEM, got "),
        ({"subprotocols": "a"}, "subprotocols: expected a list of texts, got 'a'"),
        ({"say": "hello"}, "say: expected a list of texts, got 'hello'"),
        ({"headers": {"X": "a\r\nB: c"}}, r"headers\['X'\]: expected a value on one line, got a line break"),
        ({"headers": {"X Y": "a"}}, "headers: expected a header name such as X-Api-Key, got 'X Y'"),
        ({"first_backoff_seconds": 0}, "first_backoff_seconds: expected a number > 0 and <= longest_backoff_seconds"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WebSocketClient("ws://127.0.0.1/", **options)


def test_without_the_extra_its_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aiops-nb\[websocket\]'"):
        WebSocketClient("ws://127.0.0.1/")


# -- the `ws` server of Node

SERVER = """
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: { threshold: 0 } });
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  const row = { time: 1780000000, target: "node", status_code: 200 };
  socket.on("message", (text) => {
    const { rows, fragments, hang_up } = JSON.parse(text);
    for (let i = 0; i < rows; i++) socket.send(JSON.stringify(row));
    const array = JSON.stringify(Array(rows).fill(row));
    const size = Math.ceil(array.length / fragments);
    for (let i = 0; i < fragments; i++)
      socket.send(array.slice(i * size, (i + 1) * size), { fin: i === fragments - 1, binary: false });
    if (hang_up) socket.terminate();
    else console.log(socket.extensions);
  });
});
"""


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if NPM is None or NODE is None:
        pytest.skip("npm and node are not installed: the `ws` server of Node is NOT tested against")
    folder = tmp_path_factory.mktemp("node")
    command = [NPM, "install", "ws@8", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    if done.returncode:
        pytest.skip(f"npm could not install `ws`, which is NOT tested against: {done.stderr[-300:]}")
    (folder / "server.js").write_text(SERVER, encoding="utf-8")
    return folder


@pytest.fixture
def node(node_folder: Path) -> Iterator[subprocess.Popen[str]]:
    assert NODE is not None
    with subprocess.Popen([NODE, "server.js"], cwd=node_folder, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_server_of_node_compressed_and_in_fragments(node: subprocess.Popen[str]) -> None:
    assert node.stdout is not None
    url = f"ws://127.0.0.1:{int(node.stdout.readline())}/"
    with client_of(url, say=('{"rows": 2000, "fragments": 7}',)) as client:
        assert poll_until(client, "messages_total", 2001) == 4000
        assert "permessage-deflate" in node.stdout.readline()
        assert client.counters["connections_total"] == 1


def test_a_server_of_node_that_breaks_off(node: subprocess.Popen[str]) -> None:
    assert node.stdout is not None
    clock = ManualClock()
    url = f"ws://127.0.0.1:{int(node.stdout.readline())}/"
    with client_of(url, say=('{"rows": 0, "fragments": 1, "hang_up": true}',), clock=clock) as client:
        for failures in (1, 2):
            with pytest.raises(ConnectionError):
                poll_until(client, "rows_total", 1)
            assert client.counters["failures_total"] == failures
            clock.advance(30)
        node.kill()
        node.wait()
        clock.advance(30)
        with pytest.raises(ConnectionError):
            client.poll(0)

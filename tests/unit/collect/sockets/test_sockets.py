"""Sockets: lines of real senders arrive, however they are cut, and nothing that a peer does hurts another."""

from __future__ import annotations

import inspect
import json
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import msgspec
import psutil
import pytest

from aiops_nb.collect.backoff import Backoff
from aiops_nb.collect.registry import BUILT_IN
from aiops_nb.collect.sockets.spare_file import RESERVED_FILES
from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.sockets.udp_listener import UdpListener
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import table_of
from tests import collect_servers as servers
from tests.ports import free_port

SOCAT, NC = shutil.which("socat"), shutil.which("nc")
LINE = json.dumps({"time": 1_780_000_000, "target": "a", "status_code": 200}).encode() + b"\n"
EVENT = b'{"timestamp": "2026-05-28 20:26:40.250000", "endpoint": "/pay", "status_code": 503, "cpu_usage": 50}\n'
DEADLINE_SECONDS = 20


@pytest.fixture
def listener() -> Iterator[TcpListener]:
    made = TcpListener(max_connections=100)
    yield made
    made.close()


@pytest.fixture
def datagrams() -> Iterator[UdpListener]:
    made = UdpListener()
    yield made
    made.close()


def poll_until(collector: Collector, done: Callable[[], bool]) -> int:
    """Rows that came until something is so."""
    rows, deadline = 0, time.monotonic() + DEADLINE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        batch = collector.poll(0.05)
        assert batch is not None
        rows += batch.num_rows
    return rows


def rows_of(collector: TcpListener | UdpListener | TcpClient, count: int) -> int:
    return poll_until(collector, lambda: collector.counters["rows_total"] >= count)


def all_rows(listener: TcpListener, connections: int) -> int:
    """The rows of so many connections, until all have ended."""
    counters = lambda: listener.counters  # noqa: E731
    rows = poll_until(
        listener, lambda: counters()["connections_total"] == connections and not counters()["connections"]
    )
    while (batch := listener.poll(0)) is not None and batch.num_rows:
        rows += batch.num_rows
    return rows


def send(address: tuple[str, int], data: bytes) -> None:
    with socket.create_connection(address) as connection:
        connection.sendall(data)


def test_lines_cut_anywhere(listener: TcpListener) -> None:
    rng, data = random.Random(3), LINE * 50
    with socket.create_connection(listener.address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data:
            cut = rng.randint(1, 200)
            connection.sendall(data[:cut])
            data = data[cut:]
            batch = listener.poll(0)
            assert batch is not None
    all_rows(listener, 1)
    assert listener.counters["rows_total"] == 50
    assert listener.counters["bytes_total"] == 50 * len(LINE)


def test_the_last_line_needs_no_end(listener: TcpListener) -> None:
    send(listener.address, LINE + LINE[:-1])
    assert all_rows(listener, 1) == 2


def test_lines_of_many_connections_are_not_mixed(listener: TcpListener) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(listener.address)) for _ in range(50)]
        for part in (LINE[:20], LINE[20:] + LINE[:5], LINE[5:]):
            for connection in connections:
                connection.sendall(part)
            listener.poll(0)
    all_rows(listener, 50)
    assert listener.counters["rows_total"] == 100
    assert not listener.rejected


def test_one_connection_too_many_is_closed_and_counted() -> None:
    listener = TcpListener(max_connections=1)
    with socket.create_connection(listener.address), socket.create_connection(listener.address) as second:
        poll_until(listener, lambda: listener.counters["refused_total"] == 1)
        second.settimeout(DEADLINE_SECONDS)
        assert second.recv(1) == b""
        assert listener.counters["connections"] == 1
    listener.close()


def test_events_of_the_older_tool_come_as_two_tables(listener: TcpListener) -> None:
    send(listener.address, EVENT * 3)
    batches = [listener.poll(5), listener.poll(5)]
    assert [table_of(batch) for batch in batches] == ["requests", "samples"]
    assert [batch.num_rows for batch in batches] == [3, 3]


def test_a_broken_connection_keeps_what_it_brought(listener: TcpListener) -> None:
    with socket.create_connection(listener.address) as connection:
        connection.sendall(LINE * 2 + b'{"time"')
        assert rows_of(listener, 2) == 2
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by reset
    all_rows(listener, 1)
    assert listener.counters["broken_total"] == 1
    assert listener.counters["rejected_invalid_json_total"] == 1


def test_a_line_without_end_takes_little_memory_and_lets_others_through(listener: TcpListener) -> None:
    with socket.create_connection(listener.address) as endless:
        endless.setblocking(False)
        tracemalloc.start()
        for _ in range(200):
            with suppress(BlockingIOError):
                endless.send(b"x" * 100_000)
            listener.poll(0)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        send(listener.address, LINE)
        assert rows_of(listener, 1) == 1
        assert listener.counters["rejected_too_long_total"] == 1
        assert [(one.reason, one.line) for one in listener.rejected] == [("too_long", "x" * 200)]
    assert peak_bytes < 4_000_000


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_byte_order_mark_and_line_ends_of_windows(listener: TcpListener, pieces: int) -> None:
    data = b"\xef\xbb\xbf" + LINE.replace(b"\n", b"\r\n") * 2 + LINE.rstrip()
    with socket.create_connection(listener.address) as connection:
        for place in range(0, len(data), pieces):
            connection.sendall(data[place : place + pieces])
    assert rows_of(listener, 3) == 3
    assert not listener.rejected


HOGGED = """
import os, resource, socket, sys
from contextlib import suppress
from aiops_nb.collect.sockets.tcp_listener import TcpListener

listener = TcpListener()
line = sys.argv[1].encode() + bytes([10])
first = socket.create_connection(listener.address)
second = socket.create_connection(listener.address)
first.sendall(line)
while listener.counters["rows_total"] < 1:  # whatever is imported at the first row is there from now on
    listener.poll(0.1)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
third = socket.socket()
hogs = []
with suppress(OSError):
    while True:
        hogs.append(os.open(os.devnull, os.O_RDONLY))
third.connect(listener.address)
for connection in (first, second):
    connection.sendall(line)
while listener.counters["rows_total"] < 3 or listener.counters["refused_total"] < 1:
    listener.poll(0.1)
assert third.recv(1) == b"", "it was refused"
for hog in hogs[-25:]:  # a quarter of the files is kept for others
    os.close(hog)
with socket.create_connection(listener.address) as late:
    late.sendall(line)
    while listener.counters["rows_total"] < 4:
        listener.poll(0.1)
listener.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the number of files is not bounded so there")
def test_without_a_file_left_those_that_are_there_are_read_and_others_refused() -> None:
    subprocess.run([sys.executable, "-c", HOGGED, LINE.decode().strip()], check=True, timeout=60)


SILENT = """
import json, os, resource, socket, sys, time
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
from aiops_nb.collect import TcpListener
listener = TcpListener()
print(listener.address[1], flush=True)
rows = 0
while not sys.stdin.readline().strip():
    pass
deadline = time.monotonic() + 60
while time.monotonic() < deadline and not (rows and listener.counters["refused_total"] >= 100):
    rows += listener.poll(0.2).num_rows
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(40)]
import sqlite3, xml.dom.minidom
print(json.dumps({"rows": rows, **listener.counters}), flush=True)
for one in held:
    os.close(one)
listener.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit on Windows")
def test_silent_connections_leave_files_for_the_rest_of_the_process() -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", SILENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
        ExitStack() as stack,
    ):
        assert child.stdin is not None and child.stdout is not None
        address = ("127.0.0.1", int(child.stdout.readline()))
        speaking = stack.enter_context(socket.create_connection(address))
        speaking.sendall(LINE)
        child.stdin.write("go\n")
        child.stdin.flush()
        for _ in range(300):
            stack.enter_context(socket.create_connection(address))
        counters = json.loads(child.stdout.readline())
    assert counters["rows"] == 1
    assert 100 < counters["connections"] <= 256 - RESERVED_FILES
    assert counters["refused_total"] >= 100


def test_no_more_connections_than_windows_can_wait_for() -> None:
    code = """
import sys
sys.platform = "win32"
from aiops_nb.collect.sockets.spare_file import MOST_WAITED_FOR, takes_a_reserved_file
print(MOST_WAITED_FOR, takes_a_reserved_file(10_000))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["500", "False"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("aiops_nb.collect.sockets.tcp_listener.MOST_WAITED_FOR", 2)
        listener = TcpListener(max_connections=1000)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(listener.address))
        poll_until(listener, lambda: listener.counters["refused_total"] == 3)
        assert listener.counters["connections"] == 2
    listener.close()


@pytest.mark.parametrize("kind", [TcpListener, UdpListener])
def test_a_listener_is_bound_to_loopback_by_default(kind: type[TcpListener] | type[UdpListener]) -> None:
    listener = kind()
    assert listener.address[0] == "127.0.0.1"
    bound = {c.laddr.ip for c in psutil.Process().net_connections() if c.laddr and c.laddr.port == listener.address[1]}
    listener.close()
    assert bound == {"127.0.0.1"}


def test_no_collector_listens_elsewhere_by_default() -> None:
    listening = [
        parameters["listen_on"].default
        for spec in BUILT_IN
        if "listen_on" in (parameters := inspect.signature(spec.load()).parameters)
    ]
    fields = [
        field.default for spec in BUILT_IN for field in msgspec.structs.fields(spec.params) if field.name == "listen_on"
    ]
    assert listening == fields == ["127.0.0.1"] * 3


def test_a_longer_line_is_read_where_it_is_wanted() -> None:
    listener = TcpListener(max_line_bytes=3_000_000, unknown_fields="keep")
    try:
        send(listener.address, LINE.replace(b"}", b', "note": "' + b"x" * 2_000_000 + b'"}'))
        assert rows_of(listener, 1) == 1
        assert not listener.rejected
    finally:
        listener.close()


def test_a_slow_reader_slows_the_sender_and_loses_nothing(listener: TcpListener) -> None:
    sent = 0
    with socket.create_connection(listener.address) as connection:
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody polls
            while sent < 200_000_000:
                sent += connection.send((LINE * 1000)[sent % len(LINE) :])
        missing = -sent % len(LINE)
        connection.setblocking(True)
        finish = threading.Thread(target=connection.sendall, args=(LINE[-missing:] if missing else b"",))
        finish.start()
        expected = (sent + missing) // len(LINE)
        assert rows_of(listener, expected) == expected
        finish.join()


@pytest.mark.skipif(NC is None or sys.platform != "linux", reason="no nc that takes -q")
def test_from_nc(listener: TcpListener) -> None:
    assert NC is not None
    host, port = listener.address
    with subprocess.Popen([NC, "-q", "0", host, str(port)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(LINE * 1000)
        process.stdin.close()
        assert all_rows(listener, 1) == 1000


@pytest.mark.skipif(SOCAT is None, reason="socat is not installed")
def test_from_socat_over_ipv6() -> None:
    assert SOCAT is not None
    try:
        listener = TcpListener(listen_on="::1")
    except ConfigError:
        pytest.skip("no IPv6 here")
    command = [SOCAT, "-u", "-", f"TCP6:[::1]:{listener.address[1]}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        process.communicate(LINE * 1000)
        assert all_rows(listener, 1) == 1000
    listener.close()


@pytest.mark.skipif(SOCAT is None, reason="socat is not installed")
def test_datagrams_from_socat(datagrams: UdpListener) -> None:
    assert SOCAT is not None
    host, port = datagrams.address
    with subprocess.Popen([SOCAT, "-u", "-b", str(len(LINE) * 100), "-", f"UDP:{host}:{port}"], stdin=-1) as process:
        process.communicate(LINE * 100)
        assert rows_of(datagrams, 100) == 100
    assert datagrams.counters["datagrams_total"] >= 1


def test_a_datagram_is_whole_lines(datagrams: UdpListener) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in (LINE[:-1], LINE * 3, b"", LINE[:10], LINE[10:], LINE):
            sender.sendto(datagram, datagrams.address)
        rows_of(datagrams, 5)
    assert datagrams.counters["rows_total"] == 5
    assert datagrams.counters["datagrams_total"] == 6
    assert (
        datagrams.counters["rejected_invalid_json_total"] + datagrams.counters.get("rejected_wrong_type_total", 0) == 2
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what it drops")
def test_datagrams_that_the_system_drops_are_counted() -> None:
    listener, sent = UdpListener(buffer_bytes=1), 2_000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(sent):
            sender.sendto(LINE, listener.address)
        poll_until(listener, lambda: listener.counters["datagrams_total"] > 0)
        sender.sendto(LINE, listener.address)  # a drop is told with the next datagram
        counters = lambda: listener.counters  # noqa: E731
        poll_until(listener, lambda: counters()["rows_total"] + counters()["dropped_total"] == sent + 1)
    assert listener.counters["dropped_total"] > 0
    listener.close()


@pytest.mark.parametrize("kind", [TcpListener, UdpListener])
def test_an_address_that_cannot_be_listened_on(kind: type[TcpListener] | type[UdpListener]) -> None:
    taken = kind()
    in_use = rf"^port: expected one that is free on 127.0.0.1, got {taken.address[1]}, on which another program listens"
    wrong: list[tuple[Any, str, str]] = [
        (taken.address[1], "127.0.0.1", in_use),
        (0, "192.0.2.1", r"^listen_on: expected an address of this machine, got '192.0.2.1' \(Cannot assign"),
        (99_999_999, "127.0.0.1", "^port: expected 0 to 65535, got 99999999$"),
        (-1, "127.0.0.1", "^port: expected 0 to 65535, got -1$"),
        ("80", "127.0.0.1", "^port: expected 0 to 65535, got '80'$"),
        (0, "no.invalid", "^listen_on: expected an address of this machine, got 'no.invalid' "),
    ]
    for port, listen_on, message in wrong:
        with pytest.raises(ConfigError, match=message):
            kind(port, listen_on=listen_on)
    taken.close()
    with pytest.raises(ConfigError, match="max_connections: expected a number >= 1, got 0"):
        TcpListener(max_connections=0)
    for buffer_bytes in (0, 1 << 40):
        with pytest.raises(ConfigError, match="buffer_bytes: expected a number >= 1 and < 2 GiB"):
            UdpListener(buffer_bytes=buffer_bytes)


def test_only_this_machine_unless_told(listener: TcpListener, datagrams: UdpListener) -> None:
    assert listener.address[0] == datagrams.address[0] == "127.0.0.1"


# -- the client


@contextmanager
def serving(data: bytes, port: int = 0) -> Iterator[int]:
    """A server that says this to everybody, and hangs up."""
    with servers.raw_server(lambda connection: connection.sendall(data)) as served:
        yield served


@pytest.mark.parametrize("host", ["", "tcp://h:9", "user@h", "h/path", "a b"])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(ConfigError, match="host: expected a name or an address, got"):
        TcpClient(host, 9)


def client_of(port: int, clock: ManualClock | None = None) -> TcpClient:
    return TcpClient("127.0.0.1", port, rng=random.Random(5), clock=clock)


def test_a_client_reads_and_comes_back_after_its_server_hung_up() -> None:
    clock = ManualClock()
    with serving(LINE * 10) as port:
        client = client_of(port, clock)
        assert rows_of(client, 10) == 10
        with pytest.raises(ConnectionError, match="the peer closed the connection"):
            poll_until(client, lambda: False)
        with pytest.raises(ConnectionError):  # not yet: it waits
            client.poll(0)
        assert client.counters["connections_total"] == 1
        clock.advance(0.5)
        assert rows_of(client, 20) == 10
        assert client.counters["connections_total"] == 2
    client.close()
    assert client.poll(0) is None


def test_a_server_that_is_not_there_is_asked_less_and_less() -> None:
    clock = ManualClock()
    client = client_of(free_port(), clock)
    gaps: list[float] = []
    for attempt in range(1, 12):
        with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:\d+: .*refused"):
            client.poll(0)
        assert client.counters["failures_total"] == attempt
        gaps.append(client.backoff.left_seconds)
        clock.advance(gaps[-1] + 1e-6)
    assert all(0.25 * 2**n <= gap <= 0.5 * 2**n for n, gap in enumerate(gaps[:6]))
    assert all(15 <= gap <= 30 for gap in gaps[7:])
    assert len(set(gaps)) == len(gaps)
    client.close()


def test_a_server_that_says_nothing_is_not_asked_at_full_speed() -> None:
    clock = ManualClock()
    with serving(b"") as port:
        client = client_of(port, clock)
        for failures in (1, 2, 3):
            with pytest.raises(ConnectionError):
                poll_until(client, lambda: False)
            assert client.backoff.failures == failures
            clock.advance(client.backoff.left_seconds + 1e-6)
    client.close()


@pytest.mark.skipif(SOCAT is None, reason="socat is not installed")
def test_a_client_of_socat_that_is_killed_and_comes_again() -> None:
    assert SOCAT is not None
    port, clock = free_port(), ManualClock()
    client = client_of(port, clock)
    for round_ in (1, 2):
        command = [SOCAT, "-u", "-", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            process.stdin.write(LINE * 10)
            process.stdin.flush()
            while client.counters["rows_total"] < 10 * round_:
                try:
                    client.poll(0.05)
                except ConnectionError:
                    clock.advance(30)
            process.kill()
            process.stdin.close()
        with pytest.raises(ConnectionError):
            poll_until(client, lambda: False)
    assert client.counters["connections_total"] == 2
    client.close()


def test_close_ends_a_connection_attempt() -> None:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    with ExitStack() as stack:
        stack.enter_context(full)
        for _ in range(5):  # fill its queue, so that the next one hangs
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        client = client_of(full.getsockname()[1])
        polled: list[object] = []
        polling = threading.Thread(target=lambda: polled.append(client.poll(10)), name="aiops-test-poll")
        polling.start()
        client.close()
        polling.join(4)
        assert not polling.is_alive()
        assert polled == [None]


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_cannot_be(port: int) -> None:
    with pytest.raises(ConfigError, match="port: expected 1 to 65535"):
        TcpClient("127.0.0.1", port)


def test_backoff_limits_must_fit() -> None:
    with pytest.raises(
        ConfigError, match=r"first_backoff_seconds: expected a number > 0 and <= longest_backoff_seconds \(1\), got 2"
    ):
        Backoff(ManualClock(), random.Random(1), first_seconds=2, longest_seconds=1)

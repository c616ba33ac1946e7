"""A real nginx under load, rotated while it writes: every request that it served becomes one row."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from aiops_nb.collect.access_log.collector import AccessLog, read_access_log
from tests.nginx_server import NGINX, nginx_server
from tests.ports import free_port

AB = shutil.which("ab")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

HTTP = """
log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                 '"$http_referer" "$http_user_agent" $request_time';
log_format as_json escape=json '{{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","request":"$request",'
                 '"status":"$status","body_bytes_sent":"$body_bytes_sent","request_time":"$request_time",'
                 '"http_user_agent":"$http_user_agent"}}';
server {{
  listen 127.0.0.1:{port};
  access_log {folder}/combined.log combined;
  access_log {folder}/timed.log timed;
  access_log {folder}/json.log as_json;
  location /orders/ {{ return 200 "ok"; }}
  location /broken/ {{ return 503; }}
  location /absent {{ return 404; }}
  location /last {{ return 200 "bye"; }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running server."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def load(self, path: str, count: int) -> None:
        """So many requests, two at a time."""
        assert AB is not None
        command = [AB, "-q", "-n", str(count), "-c", "2", f"http://127.0.0.1:{self.port}{path}"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def send(self, request: bytes) -> None:
        """One request as it is, to the end of its reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    port = free_port()
    with nginx_server(tmp_path, HTTP.format(folder=tmp_path, port=port)) as process:
        yield Nginx(folder=tmp_path, port=port, process=process)


def rows_of(log: AccessLog, count: int) -> pa.Table:
    """At least `count` rows, and what else comes with them."""
    batches: list[pa.RecordBatch] = []
    deadline = time.monotonic() + 30
    while sum(batch.num_rows for batch in batches) < count and time.monotonic() < deadline:
        batch = log.poll(1.0)
        assert batch is not None
        batches.append(batch)
    return pa.Table.from_batches(batches)


@pytest.mark.skipif(AB is None, reason="ab (apache2-utils) is not installed")
@pytest.mark.parametrize("pattern", ["combined", "timed", "json"])
def test_every_request_under_load_and_rotation_becomes_one_row(nginx: Nginx, pattern: str) -> None:
    path = nginx.folder / f"{pattern}.log"
    log = AccessLog(path, pattern=pattern, name="web")
    before_ns = time.time_ns()
    nginx.load("/orders/17?token=1", 2_000)
    path.rename(nginx.folder / f"{pattern}.log.1")
    nginx.load("/broken/", 1_000)  # still goes to the renamed file
    nginx.process.send_signal(signal.SIGUSR1)
    nginx.load("/absent", 1_000)
    table = rows_of(log, 4_000)
    log.close()
    assert Counter(table["target"].to_pylist()) == {"/orders/{id}": 2_000, "/broken/": 1_000, "/absent": 1_000}
    assert Counter(table["status_code"].to_pylist()) == {200: 2_000, 503: 1_000, 404: 1_000}
    assert table["client_ip"].unique().to_pylist() == ["127.0.0.1"]
    assert table["duration_seconds"].null_count == (4_000 if pattern == "combined" else 0)
    assert min(table["time"].cast(pa.int64()).to_pylist()) >= before_ns - 2_000_000_000
    assert {name: value for name, value in log.counters.items() if "rejected" in name} == {"rejected_too_long_total": 0}


@pytest.mark.skipif(AB is None, reason="ab (apache2-utils) is not installed")
def test_a_log_that_is_truncated_while_nginx_writes(nginx: Nginx) -> None:
    log = AccessLog(nginx.folder / "timed.log", pattern="timed")
    nginx.load("/orders/17", 2_000)
    assert rows_of(log, 2_000).num_rows == 2_000
    os.truncate(log.path, 0)
    nginx.load("/absent", 500)
    assert rows_of(log, 500)["target"].unique().to_pylist() == ["/absent"]
    log.close()
    assert log.counters["truncations_total"] == 1


@pytest.mark.parametrize("pattern", ["combined", "timed", "json"])
def test_what_clients_should_not_send(nginx: Nginx, pattern: str) -> None:
    hostile = [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b'GET /a HTTP/1.1\r\nHost: a\r\nUser-Agent: "quoted" \\ [x] \xff\x01\r\nConnection: close\r\n\r\n',
        b"GET /" + b"a" * 6_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b'PURGE /caf\xe9?\x22 HTTP/1.0\r\nReferer: " 200 5 "\r\n\r\n',
        b"GET /" + b"b" * 60_000 + b" HTTP/1.1\r\n\r\n",
    ]
    for request in [*hostile, b"GET /last HTTP/1.0\r\n\r\n"]:
        nginx.send(request)
    log = AccessLog(nginx.folder / f"{pattern}.log", pattern=pattern, from_start=True)
    targets: list[str] = []
    while "/last" not in targets:
        targets += rows_of(log, 1)["target"].to_pylist()
    log.close()
    assert {name: count for name, count in log.counters.items() if "rejected" in name and count} == {}, log.rejected
    assert len(targets) == len(log.path.read_bytes().splitlines()) >= 4
    history = pa.Table.from_batches(read_access_log(log.path, pattern=pattern))
    assert history["target"].to_pylist() == targets

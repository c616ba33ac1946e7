"""HttpProbe against real servers: what each outcome becomes in a row."""

from __future__ import annotations

import datetime
import math
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.http.transfers.curl_transfer import CurlTransfer, PycurlTransfer
from aiops_nb.core.errors import ConfigError
from tests import collect_servers as servers

ALL: list[TransferKind] = ["curl", "pycurl", "requests"]


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    with servers.httpbin() as url:
        yield url


def ask(*targets: ProbeTarget, rows: int | None = None, **options: Any) -> list[dict[str, Any]]:
    """The first rows of a probe, by default one per target, in the order of the targets."""
    longest = max(target.timeout_seconds or 1.5 for target in targets)
    probe = HttpProbe(targets, interval_seconds=options.pop("interval_seconds", longest + 0.5), **options)
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20
    while (
        not (len(found) >= rows if rows else len({row["target"] for row in found}) == len(targets))
        and time.monotonic() < deadline
    ):
        batch = probe.poll(0.5)
        assert batch is not None
        found += batch.to_pylist()
    probe.close()
    found.sort(key=lambda row: (probe.target_names.index(row["target"]), row["time"]))
    return found if rows else [next(row for row in found if row["target"] == name) for name in probe.target_names]


def ask_one(url: str, *, transfer: TransferKind = "curl", **fields: Any) -> dict[str, Any]:
    return ask(ProbeTarget(url=url, **fields), transfer=transfer)[0]


@pytest.mark.parametrize("transfer", ALL)
def test_a_status_is_a_status_and_not_an_error(httpbin: str, transfer: TransferKind) -> None:
    rows = ask(*(ProbeTarget(url=f"{httpbin}/status/{code}") for code in (200, 404, 503)), transfer=transfer)
    assert [(row["status_code"], row["error_type"]) for row in rows] == [(200, None), (404, None), (503, None)]
    assert {row["origin"] for row in rows} == {"probe"}


def test_phases_sum_up_to_the_duration(httpbin: str) -> None:
    row = ask_one(f"{httpbin}/bytes/5000")
    phases = [row[f"{name}_seconds"] for name in ("resolve", "connect", "wait", "transfer")]
    assert math.isclose(sum(phases), row["duration_seconds"], abs_tol=1e-6)
    assert row["response_bytes"] == 5000
    assert row["tls_seconds"] is None and row["certificate_expires"] is None


def test_time_is_the_end_of_the_transfer(httpbin: str) -> None:
    before = time.time_ns()
    row = ask_one(f"{httpbin}/delay/1", timeout_seconds=4.0)
    assert before + 1_000_000_000 <= row["time"].value <= time.time_ns()
    assert row["wait_seconds"] >= 1.0


@pytest.mark.parametrize("transfer", ALL)
def test_redirects_are_followed_up_to_the_limit(httpbin: str, transfer: TransferKind) -> None:
    url = f"{httpbin}/redirect/3"
    rows = ask(
        ProbeTarget(url=url, name="follow"),
        ProbeTarget(url=url, name="stay", follow_redirects=False),
        ProbeTarget(url=url, name="loop", max_redirects=2),
        transfer=transfer,
    )
    assert [(row["status_code"], row["error_type"]) for row in rows] == [(200, None), (302, None), (302, "protocol")]


@pytest.mark.parametrize("transfer", ALL)
def test_the_timeout_holds_for_a_body_that_drips(httpbin: str, transfer: TransferKind) -> None:
    row = ask_one(f"{httpbin}/drip?duration=8&numbytes=40", timeout_seconds=0.5, transfer=transfer)
    assert row["error_type"] == "timeout"
    assert 0.4 < row["duration_seconds"] < 4
    assert row["response_bytes"] != 40


@pytest.mark.parametrize("transfer", ALL)
def test_no_reply_in_time_is_a_timeout_without_status(transfer: TransferKind) -> None:
    with servers.raw_server(servers.hang) as port:
        row = ask_one(f"http://127.0.0.1:{port}/", timeout_seconds=0.3, transfer=transfer)
    assert (row["error_type"], row["status_code"]) == ("timeout", None)
    assert row["response_bytes"] is None and row["wait_seconds"] is None


@pytest.mark.parametrize("transfer", ALL)
def test_nobody_listens(transfer: TransferKind) -> None:
    with socket.socket() as bound:  # bound, and never listening
        bound.bind(("127.0.0.1", 0))
        row = ask_one(f"http://127.0.0.1:{bound.getsockname()[1]}/", transfer=transfer)
    assert (row["error_type"], row["status_code"]) == ("connect", None)
    assert (
        "connect to" in row["error_detail"] if transfer != "requests" else row["error_detail"] == "Connection refused"
    )


@pytest.mark.parametrize("transfer", ALL)
def test_a_name_that_does_not_exist(transfer: TransferKind) -> None:
    row = ask_one("http://nothing-here.invalid/", transfer=transfer, timeout_seconds=4.0)
    assert (row["error_type"], row["status_code"]) == ("dns", None)


BAD_MANNERS = [
    (servers.reset, "reset"),
    (servers.leave, "reset"),
    (servers.short_body, "reset"),
    (servers.garbage, "protocol"),
    (servers.ssh_banner, "protocol"),
    (servers.bad_chunk, "protocol"),
    (servers.endless_headers, "protocol"),
    (servers.endless_header, "protocol"),
]


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize(("handler", "error"), BAD_MANNERS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_bad_manners(handler: servers.Handler, error: str, transfer: TransferKind) -> None:
    with servers.raw_server(handler) as port:
        row = ask_one(f"http://127.0.0.1:{port}/", timeout_seconds=4.0, transfer=transfer)
    assert row["error_type"] == error


@pytest.mark.parametrize("transfer", ALL)
def test_reading_stops_at_the_limit_and_is_no_error(transfer: TransferKind) -> None:
    with servers.raw_server(servers.endless_body) as port:
        row = ask_one(f"http://127.0.0.1:{port}/", max_body_bytes=1_000_000, transfer=transfer, timeout_seconds=4.0)
    assert (row["status_code"], row["error_type"], row["response_bytes"]) == (200, None, None)


AUTHORITY = trustme.CA()
EXPIRED = AUTHORITY.issue_cert(
    "127.0.0.1", not_before=datetime.datetime(2020, 1, 1), not_after=datetime.datetime(2021, 1, 1)
)
CERTIFICATES = {
    "good": (AUTHORITY.issue_cert("127.0.0.1", not_after=datetime.datetime(2040, 1, 2, 3, 4, 5)), None),
    "other host": (AUTHORITY.issue_cert("example.org"), "IP address|subject name"),
    "unknown authority": (trustme.CA().issue_cert("127.0.0.1"), "self-signed|issuer"),
    "expired": (EXPIRED, "certificate has expired"),
}


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize("kind", CERTIFICATES)
def test_certificates_are_verified(kind: str, transfer: TransferKind, ca_file: str) -> None:
    certificate, reason = CERTIFICATES[kind]
    with servers.raw_server(servers.tls_handler(certificate)) as port:
        row = ask_one(f"https://127.0.0.1:{port}/", ca_file=ca_file, transfer=transfer)
    assert (row["error_type"], row["status_code"]) == (("tls", None) if reason else (None, 200))
    assert re.search(reason or "^$", row["error_detail"] or "")


def test_a_certificate_says_when_it_expires(ca_file: str) -> None:
    with servers.raw_server(servers.tls_handler(CERTIFICATES["good"][0])) as port:
        row = ask_one(f"https://127.0.0.1:{port}/", ca_file=ca_file)
    assert row["certificate_expires"].isoformat() == "2040-01-02T03:04:05+00:00"
    assert row["tls_seconds"] > 0


def test_an_expired_certificate_says_so_and_passes_unverified() -> None:
    with servers.raw_server(servers.tls_handler(EXPIRED)) as port:
        url = f"https://127.0.0.1:{port}/"
        rows = ask(ProbeTarget(url=url, name="strict"), ProbeTarget(url=url, name="lax", verify_tls=False))
    assert [row["error_type"] for row in rows] == ["tls", None]
    assert {row["certificate_expires"].year for row in rows} == {2021}


def test_plain_http_where_tls_was_expected() -> None:
    with servers.raw_server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert ask_one(f"https://127.0.0.1:{port}/")["error_type"] == "tls"


class Listener:
    """Keeps what was asked of it."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        request = servers.read_request(connection)
        length = int(dict(_fields(request)).get("content-length", "0"))
        body = request.partition(b"\r\n\r\n")[2]
        while len(body) < length:
            body += connection.recv(65_536)
        self.requests.append(request.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def headers(self, place: int = -1) -> dict[str, str]:
        return dict(_fields(self.requests[place]))


def _fields(request: bytes) -> list[tuple[str, str]]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("HEAD", None), ("POST", "{}"), ("PUT", "x"), ("DELETE", None)]
)
def test_method_and_body_arrive(method: str, body: str | None, transfer: TransferKind) -> None:
    listener = Listener()
    with servers.raw_server(listener) as port:
        row = ask_one(f"http://127.0.0.1:{port}/path?q=1", method=method, body=body, transfer=transfer)
    assert row["status_code"] == 204 and row["method"] == method
    assert listener.requests[0].startswith(f"{method} /path?q=1 HTTP/1.1\r\n".encode())
    assert listener.requests[0].partition(b"\r\n\r\n")[2] == (body or "").encode()


@pytest.mark.parametrize("transfer", ALL)
def test_secrets_are_read_at_every_probe_and_shown_nowhere(
    transfer: TransferKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_KEY", "key-1")
    token = tmp_path / "token"
    token.write_text("token-1\n")
    listener = Listener()
    headers = {"X-Key": "env:PROBE_KEY", "Authorization": f"file:{token}", "X-Plain": "plain-1", "X-Empty": ""}
    with servers.raw_server(listener) as port:
        target = ProbeTarget(url=f"http://127.0.0.1:{port}/", headers=headers)
        probe = HttpProbe([target], interval_seconds=0.2, transfer=transfer)
        assert probe.poll(5.0) is not None
        token.write_text("token-2\n")
        monkeypatch.delenv("PROBE_KEY")
        while len(listener.requests) < 4:
            probe.poll(1.0)
        probe.close()
    first, last = listener.headers(0), listener.headers()
    assert (first["x-key"], first["authorization"]) == ("key-1", "token-1")
    assert (last["x-key"], last["authorization"]) == ("key-1", "token-2")
    assert last["x-plain"] == "plain-1" and last["x-empty"] == ""
    assert not any(secret in repr(target) for secret in ("key-1", "token", "plain-1"))


@pytest.mark.parametrize("transfer", ALL)
def test_a_password_in_the_url_is_sent_and_never_recorded(transfer: TransferKind) -> None:
    listener = Listener()
    with servers.raw_server(listener) as port:
        row = ask_one(f"http://joe:sesame@127.0.0.1:{port}/a?token=hush", transfer=transfer)
    assert listener.headers()["authorization"] == "Basic am9lOnNlc2FtZQ=="
    assert row["target"] == f"http://127.0.0.1:{port}/a"
    assert "sesame" not in str(row) and "hush" not in str(row)


@pytest.mark.parametrize("make", [CurlTransfer, PycurlTransfer])
def test_nothing_of_a_request_is_left_on_the_handle_for_the_next_target(make: type[CurlTransfer]) -> None:
    listener = Listener()
    with servers.raw_server(listener) as port:
        plain, asking = f"http://127.0.0.1:{port}", f"http://joe:sesame@127.0.0.1:{port}"
        targets = [
            ProbeTarget(url=f"{asking}/a"),
            ProbeTarget(url=f"{plain}/b"),
            ProbeTarget(
                url=f"{plain}/c", method="POST", body="sent", headers={"X-Key": "k"}, assertions=('body == ""',)
            ),
            ProbeTarget(url=f"{plain}/d", method="HEAD"),
        ]
        first, second, third, fourth = (make(target, 2.0, lambda: False) for target in targets)
        handle = first.make_handle()
        order = [first, second, first, second, second, third, second, fourth, second]
        outcomes = [transfer.run(handle, may_abort=transfer is fourth) for transfer in order]
        handle.close()
    assert [outcome.status_code for outcome in outcomes] == [204] * len(order)
    assert [request.split(b" ")[1] for request in listener.requests] == [
        *(b"/a", b"/b", b"/a", b"/b", b"/b", b"/c", b"/b", b"/d", b"/b")
    ]
    of_second = [n for n, transfer in enumerate(order) if transfer is second]
    assert len({listener.requests[n] for n in of_second}) == 1
    assert set(listener.headers(1)) == {"host", "user-agent", "accept"}
    assert all(outcomes[n].body is None for n in of_second)


def redirect_for_ever(connection: socket.socket) -> None:
    servers.read_request(connection)
    head = "HTTP/1.1 302 Found\r\nLocation: /b?token=hush\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode())


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize("handler", [servers.hang, servers.reset, servers.garbage, redirect_for_ever])
def test_what_is_said_of_a_failure_has_no_secret_in_it(handler: servers.Handler, transfer: TransferKind) -> None:
    with servers.raw_server(handler) as port:
        url = f"http://joe:sesame@127.0.0.1:{port}/a?token=hush"
        row = ask_one(url, headers={"X-Key": "hush-hush"}, transfer=transfer, timeout_seconds=1.0)
    assert row["error_type"] is not None
    assert row["error_detail"] or transfer == "requests"
    assert "sesame" not in str(row) and "hush" not in str(row)


@pytest.mark.parametrize("transfer", ALL)
def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    transfer: TransferKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with servers.raw_server(servers.reply_ok) as port:
        assert ask_one(f"http://127.0.0.1:{port}/", transfer=transfer)["status_code"] == 200


def test_a_kept_connection_has_no_connect_phase() -> None:
    with servers.raw_server(servers.reply_until_closed) as port:
        url = f"http://127.0.0.1:{port}/"
        kept = ask(ProbeTarget(url=url, reuse_connection=True), rows=3, interval_seconds=0.2)
        fresh = ask(ProbeTarget(url=url), rows=3, interval_seconds=0.2)
    assert [row["connect_seconds"] is None for row in kept[:3]] == [False, True, True]
    assert all(row["connect_seconds"] is not None for row in fresh)
    assert all(row["status_code"] == 200 for row in kept + fresh)


def test_no_thread_before_the_first_poll_and_none_after_close() -> None:
    with servers.raw_server(servers.reply_ok) as port:
        probe = HttpProbe([ProbeTarget(url=f"http://127.0.0.1:{port}/")], interval_seconds=1.0)
        assert not _probe_threads()
        probe.poll(2.0)
        assert all(thread.daemon for thread in _probe_threads()) and _probe_threads()
        probe.close()
        assert not _probe_threads()
        assert probe.poll(0.1) is None


def _probe_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("aiops-probe-")]


def test_a_silent_transfer_that_is_known_to_be_slow_is_aborted_by_close() -> None:
    with servers.raw_server(servers.hang) as port:
        target = ProbeTarget(url=f"http://127.0.0.1:{port}/", timeout_seconds=1.6)
        slow = HttpProbe([target], interval_seconds=2.0)
        batch = slow.poll(5.0)
        assert batch is not None and batch["error_type"].to_pylist() == ["timeout"]
        while not slow.counters["start_lag_seconds"] and _probe_threads():
            slow.poll(0.1)
        slow.close()
        assert not _probe_threads()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "ftp://h/"}, "url: expected http://"),
        ({"url": "http://h/", "method": "GET /"}, "method: expected an HTTP method"),
        ({"url": "http://h/", "timeout_seconds": 0}, "timeout_seconds: expected a number > 0"),
        ({"url": "http://h/", "headers": {"A": "b\r\nC: d"}}, "headers['A']: expected a value on one line"),
        ({"url": "http://h/", "headers": {"A b": "c"}}, "headers: expected a header name"),
        ({"url": "http://h/", "max_body_bytes": -1}, "max_body_bytes: expected a number > 0"),
    ],
)
def test_a_target_that_cannot_be_asked_names_its_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ProbeTarget(**fields)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("targets", "interval_seconds", "message"),
    [
        ([], 1.0, "targets: expected at least one"),
        ([ProbeTarget(url="http://h/")], 0.0, "interval_seconds: expected a number > 0"),
        (
            [ProbeTarget(url="http://h/", timeout_seconds=5)],
            5.0,
            "targets[0].timeout_seconds: expected less than the interval (5 s), got 5 s",
        ),
        ([ProbeTarget(url="http://h/", name="a"), ProbeTarget(url="http://i/", name="a")], 1.0, "targets[1].name"),
        ([ProbeTarget(url="http://h/", headers={"X": "env:NOT_SET_AT_ALL"})], 1.0, "headers['X']: expected an env"),
        ([ProbeTarget(url="https://h/", ca_file="/no/such.pem")], 1.0, "targets[0].ca_file: expected a readable file"),
    ],
)
def test_a_probe_that_cannot_run_says_why(targets: list[ProbeTarget], interval_seconds: float, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        HttpProbe(targets, interval_seconds=interval_seconds)
    assert message in str(raised.value)


def test_names_are_told_apart_without_showing_what_was_masked() -> None:
    targets = [ProbeTarget(url=f"http://h/a?key={key}") for key in "xy"]
    assert HttpProbe(targets, interval_seconds=1.0).target_names == ("http://h/a", "http://h/a (2)")

"""Assertions on real replies, by each of the three transfers."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from tests import collect_servers as servers

ALL: list[TransferKind] = ["curl", "pycurl", "requests"]
pytestmark = pytest.mark.parametrize("transfer", ALL)


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    with servers.httpbin() as url:
        yield url


Rows = dict[str, dict[str, Any]]
Failures = dict[str, tuple[str, ...]]


def ask(transfer: TransferKind, *targets: ProbeTarget) -> tuple[Rows, Failures]:
    """The first row of each target by its name, and what was asserted in vain."""
    probe = HttpProbe(targets, interval_seconds=2.0, transfer=transfer)
    rows: Rows = {}
    deadline = time.monotonic() + 20
    while len(rows) < len(targets) and time.monotonic() < deadline:
        batch = probe.poll(0.5)
        assert batch is not None
        rows |= {row["target"]: row for row in batch.to_pylist()}
    probe.close()
    return rows, dict(probe.last_failures)


def ask_one(transfer: TransferKind, url: str, *assertions: str, **fields: Any) -> tuple[dict[str, Any], Any]:
    rows, failures = ask(transfer, ProbeTarget(url=url, name="a", assertions=assertions, **fields))
    return rows["a"], failures.get("a")


def test_a_status_rule_decides_what_a_failure_is(httpbin: str, transfer: TransferKind) -> None:
    rows, failures = ask(
        transfer,
        ProbeTarget(url=f"{httpbin}/status/503", name="bad", assertions=("status in 200..299", "duration < 1m")),
        ProbeTarget(url=f"{httpbin}/status/404", name="good", assertions=("status == 404",)),
    )
    bad, good = rows["bad"], rows["good"]
    assert (bad["status_code"], bad["error_type"]) == (503, "assertion") and bad["duration_seconds"] > 0
    assert (good["status_code"], good["error_type"]) == (404, None)
    assert failures == {"bad": ("status in 200..299, got 503",)}
    assert (bad["error_detail"], good["error_detail"]) == ("status in 200..299, got 503", None)


def test_body_and_json_of_a_real_reply(httpbin: str, transfer: TransferKind) -> None:
    rows, failures = ask(
        transfer,
        ProbeTarget(
            url=f"{httpbin}/json",
            name="json",
            assertions=('json $.slideshow.slides[1].title == "Overview"', 'body contains "slideshow"'),
        ),
        ProbeTarget(url=f"{httpbin}/redirect/1", name="redirect", assertions=("json $.args == 1",)),
        ProbeTarget(url=f"{httpbin}/get", name="plain", assertions=('body contains "gzip"',)),
    )
    assert [rows[name]["error_type"] for name in ("json", "redirect", "plain")] == [None, "assertion", "assertion"]
    assert failures["redirect"] == ("json $.args == 1, got an object of 0",)
    size = rows["plain"]["response_bytes"]
    assert failures["plain"] == (f'body contains "gzip", got a body of {size:,} bytes',)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_empty_body_is_known_to_be_empty(httpbin: str, transfer: TransferKind, method: str) -> None:
    row, failures = ask_one(transfer, f"{httpbin}/bytes/0", 'body == ""', method=method)
    assert (row["error_type"], failures) == (None, None)


def test_a_body_in_pieces_and_up_to_the_limit(httpbin: str, transfer: TransferKind) -> None:
    url = f"{httpbin}/stream-bytes/50000?chunk_size=1000&seed=1"
    rows, failures = ask(
        transfer,
        ProbeTarget(url=url, name="whole", assertions=('body != ""',), max_body_bytes=50_000),
        ProbeTarget(url=url, name="cut", assertions=('body != ""',), max_body_bytes=49_999),
    )
    assert (rows["whole"]["error_type"], rows["whole"]["response_bytes"]) == (None, 50_000)
    assert (rows["cut"]["error_type"], rows["cut"]["response_bytes"]) == ("assertion", None)
    assert failures == {"cut": ('body != "", got a body that is too long to be kept',)}


def test_an_endless_body_fails_only_what_asks_for_it(transfer: TransferKind) -> None:
    with servers.raw_server(servers.endless_body) as port:
        row, failures = ask_one(transfer, f"http://127.0.0.1:{port}/", 'body contains "a"', "status == 200")
    assert (row["error_type"], row["status_code"], row["response_bytes"]) == ("assertion", 200, None)
    assert failures == ('body contains "a", got a body that is too long to be kept',)


def test_a_transfer_that_fails_keeps_its_own_kind(transfer: TransferKind) -> None:
    with servers.raw_server(servers.reset) as port:
        row, failures = ask_one(transfer, f"http://127.0.0.1:{port}/", "status == 200", 'body contains "ok"')
    assert (row["error_type"], failures) == ("reset", None)


def test_the_days_that_a_certificate_has_left(transfer: TransferKind, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=10, minutes=-30)
    with servers.raw_server(servers.tls_handler(authority.issue_cert("127.0.0.1", not_after=ends))) as port:
        fields = {"url": f"https://127.0.0.1:{port}/", "ca_file": str(tmp_path / "ca.pem")}
        rows, failures = ask(
            transfer,
            ProbeTarget(name="soon", assertions=("certificate_expires > 14d",), **fields),
            ProbeTarget(name="later", assertions=("certificate_expires > 9d",), **fields),
            ProbeTarget(name="kept", assertions=("certificate_expires > 9d",), reuse_connection=True, **fields),
        )
    assert [rows[name]["error_type"] for name in ("soon", "later", "kept")] == ["assertion", None, None]
    assert failures == {"soon": ("certificate_expires > 14d, got 9.98 d",)}


def test_no_certificate_has_no_days_left(transfer: TransferKind) -> None:
    with servers.raw_server(servers.reply_ok) as port:
        _, failures = ask_one(transfer, f"http://127.0.0.1:{port}/", "certificate_expires < 14d")
    assert failures == ("certificate_expires < 14d, got no certificate known",)


def test_a_failure_is_logged_once_and_forgotten_when_it_is_over(
    transfer: TransferKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aiops_nb")
    texts = iter(["no", "no", "ok", "no"])

    def answer(connection: Any) -> None:
        servers.read_request(connection)
        text = next(texts, "ok").encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n" + text)

    with servers.raw_server(answer) as port:
        target = ProbeTarget(url=f"http://127.0.0.1:{port}/", name="shop", assertions=('body contains "ok"',))
        probe = HttpProbe([target], interval_seconds=0.5, transfer=transfer)
        errors: list[str | None] = []
        while len(errors) < 5:
            errors += probe.poll(5.0)["error_type"].to_pylist()  # type: ignore[index]
        probe.close()
    assert errors[:5] == ["assertion", "assertion", None, "assertion", None]
    assert probe.last_failures == {}
    told = [record.getMessage() for record in caplog.records if "shop" in record.getMessage()]
    assert told == ['shop: body contains "ok", got a body of 2 bytes'] * 2


@pytest.mark.parametrize("second", [503, 200])
def test_a_failed_probe_is_confirmed_at_once(transfer: TransferKind, second: int) -> None:
    waiting = iter([503, second])

    def answer(connection: Any) -> None:
        servers.read_request(connection)
        status = f"HTTP/1.1 {next(waiting, 404)} X\r\n"
        connection.sendall(status.encode() + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    with servers.raw_server(answer) as port:
        target = ProbeTarget(url=f"http://127.0.0.1:{port}/", confirm=True, timeout_seconds=5.0)
        probe = HttpProbe([target], interval_seconds=600.0, transfer=transfer)
        rows: list[dict[str, Any]] = []
        deadline = time.monotonic() + 20
        while len(rows) < 2 and time.monotonic() < deadline:
            rows += probe.poll(5.0).to_pylist()  # type: ignore[union-attr]
        probe.close()
    assert [row["status_code"] for row in rows] == [503, second]
    assert rows[0]["time"] < rows[1]["time"]

"""Redirects as browsers follow them, and the same by every transfer."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.http.transfers.exchange import Reply, Request, first_request, policy_of
from aiops_nb.collect.http.transfers.redirects import exchanged
from tests import collect_servers as servers
from tests.unit.collect.http.exchanges import TRANSFERS, Answer, Asked, probed, result, server

pytestmark = pytest.mark.parametrize("transfer", TRANSFERS)


def to(location: str, status: int = 302, *cookies: str) -> Answer:
    return status, [("Location", location), *(("Set-Cookie", cookie) for cookie in cookies)], b"moved"


def ok(body: bytes = b"ok") -> Answer:
    return 200, [], body


METHODS = [
    ("POST", 301, "GET"),
    ("POST", 302, "GET"),
    ("POST", 303, "GET"),
    ("POST", 307, "POST"),
    ("POST", 308, "POST"),
    ("PUT", 301, "PUT"),
    ("PUT", 302, "PUT"),
    ("PUT", 303, "GET"),
    ("PUT", 307, "PUT"),
    ("DELETE", 302, "DELETE"),
    ("DELETE", 303, "GET"),
    ("HEAD", 303, "HEAD"),
    ("HEAD", 302, "HEAD"),
    ("GET", 303, "GET"),
]


@pytest.mark.parametrize(("method", "status", "then"), METHODS)
def test_the_method_after_a_redirect(transfer: TransferKind, method: str, status: int, then: str) -> None:
    with server(lambda asked: to("/done", status) if asked.path == "/form" else ok()) as here:
        body = "a=1" if method in ("POST", "PUT") else None
        row = probed(transfer, here.url("/form"), method=method, body=body)
        second = here.asked[1]
    assert result(row) == (200, None)
    assert second.method == then
    kept = body is not None and then == method
    assert second.body == (b"a=1" if kept else b"")
    assert second.headers.get("content-type") == ("application/x-www-form-urlencoded" if kept else None)
    assert second.headers.get("content-length", "0") == ("3" if kept else "0")


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_answers_of_the_three_hundreds_are_answers(transfer: TransferKind, status: int) -> None:
    with server(lambda asked: to("/done", status) if asked.path == "/" else ok()) as here:
        assert result(probed(transfer, here.url())) == (status, None)
        assert len(here.asked) == 1


@pytest.mark.parametrize("fields", [[], [("Location", "")], [("Location", "  ")]])
def test_a_redirect_to_nowhere_is_an_answer(transfer: TransferKind, fields: list[tuple[str, str]]) -> None:
    with server(lambda _: (302, fields, b"")) as here:
        assert result(probed(transfer, here.url())) == (302, None)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/b", "/b"),
        ("b", "/a/b"),
        ("../b", "/b"),
        ("?x=1", "/a/start?x=1"),
        ("/b#part", "/b"),
        ("/b c", "/b%20c"),
        ("/bücher?ü=1", "/b%C3%BCcher?%C3%BC=1"),
        ("/b%20c%2F", "/b%20c%2F"),
        ("//127.0.0.1:{port}/b", "/b"),
        ("http://127.0.0.1:{port}", "/"),
        ("HTTP://127.0.0.1:{port}/B", "/B"),
        ("/sso?SAMLRequest=" + "x" * 6_000, "/sso?SAMLRequest=" + "x" * 6_000),
    ],
)
def test_where_a_redirect_leads(transfer: TransferKind, location: str, path: str) -> None:
    def answer(asked: Asked) -> Answer:
        where = location.format(port=here.port).encode().decode("latin-1")  # as the server of Python sends it
        return to(where) if asked.path == "/a/start" else ok()

    with server(answer) as here:
        assert result(probed(transfer, here.url("/a/start"))) == (200, None)
        assert here.asked[-1].path == path


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/a", "file:///etc/passwd", "gopher://127.0.0.1:70/", "http://[", "http://127.0.0.1:x/"]
)
def test_a_redirect_out_of_the_web_is_not_followed(transfer: TransferKind, location: str) -> None:
    with server(lambda _: to(location)) as here:
        row = probed(transfer, here.url())
    assert result(row) == (302, "protocol")
    assert row["error_detail"] == "a redirect to what is not a URL of http or https"


def test_a_loop_ends_at_the_limit_and_times_are_summed(transfer: TransferKind) -> None:
    with server(lambda _: to("/")) as here:
        row = probed(transfer, here.url(), max_redirects=3)
        assert len(here.asked) == 4
    assert result(row) == (302, "protocol") and row["error_detail"] == "more than 3 redirects"
    if transfer != "requests":
        phases = sum(row[f"{name}_seconds"] for name in ("resolve", "connect", "wait", "transfer"))
        assert phases == pytest.approx(row["duration_seconds"], rel=0.01, abs=1e-4)


def test_the_timeout_holds_for_all_of_them(transfer: TransferKind) -> None:
    def slow(asked: Asked) -> Answer:
        time.sleep(0.3)
        return to("/")

    with server(slow) as here:
        probe = HttpProbe([ProbeTarget(url=here.url(), timeout_seconds=1.0)], interval_seconds=5.0, transfer=transfer)
        batch = probe.poll(10.0)
        probe.close()
    assert batch is not None
    row = batch.to_pylist()[0]
    assert row["error_type"] == "timeout" and 0.9 < row["duration_seconds"] < 2.0


def test_a_host_that_fails_after_a_redirect_is_what_failed(transfer: TransferKind) -> None:
    with server(lambda _: to("http://127.0.0.1:1/")) as here:
        assert result(probed(transfer, here.url())) == (None, "connect")


SECRETS = {
    "Authorization": "Bearer abc",
    "Cookie": "sid=1",
    "X-Api-Key": "k1",
    "X-Auth-Token": "t1",
    "X-Custom": "env:A_SECRET_OF_OURS",
    "Proxy-Authorization": "Basic abc",
    "Private-Token": "p1",
    "Host": "shop.test",
}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["another host", "another port"])
@pytest.mark.parametrize("status", [302, 307])
def test_secrets_stay_with_their_host(
    transfer: TransferKind, host: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_OURS", "v1")
    with server(lambda _: ok()) as there:
        location = there.url("/", host=host)
        with server(lambda asked: to(location, status) if asked.path == "/there" else to("/there")) as here:
            headers = {**SECRETS, "X-Plain": "plain", "Accept": "text/plain"}
            assert result(probed(transfer, here.url("/"), headers=headers)) == (200, None)
            for asked in here.asked:  # to the same host they all go
                assert {name.lower() for name in SECRETS} <= set(asked.headers)
            assert here.asked[1].headers["x-custom"] == "v1"
        (asked,) = there.asked
        assert set(asked.headers) & {name.lower() for name in SECRETS} == {"host"}
        assert asked.headers["host"] == f"{host}:{there.port}"
        assert (asked.headers["x-plain"], asked.headers["accept"]) == ("plain", "text/plain")
        assert not any(value in str(asked.headers) for value in ("abc", "k1", "t1", "v1", "p1"))


@pytest.mark.parametrize(("status", "is_sent"), [(307, False), (308, False), (302, True), (303, True)])
@pytest.mark.parametrize("body", ["password=${A_SECRET_OF_OURS}", "env:A_SECRET_OF_OURS"])
def test_a_secret_body_stays_with_its_host(
    transfer: TransferKind, status: int, is_sent: bool, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_OURS", "v1")
    with server(lambda _: ok()) as there:
        location = there.url()
        with server(lambda asked: to(location, status) if asked.path == "/b" else to("/b", 307)) as here:
            row = probed(transfer, here.url(), method="POST", body=body)
            assert [asked.body[-2:] for asked in here.asked] == [b"v1", b"v1"]
        assert [asked.body for asked in there.asked] == ([b""] if is_sent else [])
    assert result(row) == ((200, None) if is_sent else (status, "protocol"))


def test_secrets_that_were_dropped_do_not_come_back(transfer: TransferKind) -> None:
    with (
        server(lambda _: to(back)) as there,
        server(lambda asked: to(there.url()) if asked.path == "/" else ok()) as here,
    ):
        back = here.url("/back")
        assert result(probed(transfer, here.url(), headers={"X-Api-Key": "k1", "Authorization": "a"})) == (200, None)
        assert "x-api-key" in here.asked[0].headers
        assert {"x-api-key", "authorization"}.isdisjoint(here.asked[1].headers)


def test_a_password_in_the_url_stays_with_its_host(transfer: TransferKind) -> None:
    with server(lambda _: ok()) as there:
        location = f"http://mallory:x@127.0.0.1:{there.port}/"
        with server(lambda asked: to(location) if asked.path == "/b" else to("/b")) as here:
            url = here.url().replace("//", "//joe:p%40ss%2Fword@")
            assert result(probed(transfer, url)) == (200, None)
            assert [asked.headers["authorization"] for asked in here.asked] == ["Basic am9lOnBAc3Mvd29yZA=="] * 2
        assert "authorization" not in there.asked[0].headers


@pytest.mark.parametrize(
    ("first", "then", "is_kept"),
    [
        ("http://h.test/", "https://h.test/", True),
        ("http://h.test/", "https://H.test:443/", True),
        ("http://h.test/", "http://h.test:80/", True),
        ("https://h.test/", "https://h.test:443/a", True),
        ("http://h.test:8080/", "https://h.test/", False),
        ("http://h.test/", "https://h.test:8443/", False),
        ("https://h.test/", "http://h.test/", False),
        ("https://h.test/", "https://h.test:444/", False),
        ("https://h.test/", "https://a.h.test/", False),
        ("https://a.h.test/", "https://h.test/", False),
        ("https://h.test/", "https://h.test.evil.test/", False),
        ("https://h.test/", "https://h.test@evil.test/", False),
        ("https://h.test/", "https:\\\\evil.test/", True),  # a path, for us as for curl
        ("https://h.test/", "//evil.test/", False),
    ],
)
def test_where_secrets_may_go(transfer: TransferKind, first: str, then: str, is_kept: bool) -> None:
    """By ports that a test cannot listen on: what would be sent."""
    sent: list[Request] = []

    def send(request: Request, timeout_seconds: float) -> Reply:
        sent.append(request)
        status = 302 if len(sent) == 1 else 200
        headers = {"location": [then]}
        outcome = Outcome(duration_seconds=0.1, status_code=status)
        return Reply(outcome=outcome, headers=lambda name: headers.get(name, []))

    target = ProbeTarget(url=first, headers={"X-Api-Key": "k1"})
    exchanged(first_request(target, target.headers, None), policy_of(target, 1.0), send)
    assert ("X-Api-Key" in sent[1].headers) is is_kept, sent[1].url


AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.mark.parametrize("first", ["https", "http"])
def test_secrets_do_not_change_the_scheme_and_secure_cookies_need_tls(
    transfer: TransferKind, first: str, tls: ssl.SSLContext, ca_file: str
) -> None:
    contexts = (tls, None) if first == "https" else (None, tls)
    second = "http" if first == "https" else "https"
    with server(lambda _: ok(), contexts[1]) as there:
        location = there.url("/", scheme=second)
        with server(lambda _: to(location, 302, "safe=1; Secure", "plain=1"), contexts[0]) as here:
            headers = {"X-Api-Key": "k1", "Authorization": "a"}
            row = probed(transfer, here.url("/", scheme=first), headers=headers, ca_file=ca_file)
        asked = there.asked[0]
    assert result(row) == (200, None)
    assert {"x-api-key", "authorization"}.isdisjoint(asked.headers)
    cookies = set((asked.headers.get("cookie") or "").split("; "))
    assert cookies == ({"plain=1"} if second == "http" else {"plain=1", "safe=1"})


def test_a_cookie_that_a_redirect_sets_is_sent(transfer: TransferKind) -> None:
    def answer(asked: Asked) -> Answer:
        return ok() if "sid=1" in asked.headers.get("cookie", "") else to("/", 302, "sid=1; Path=/; HttpOnly")

    with server(answer) as here:
        assert result(probed(transfer, here.url())) == (200, None)
        assert len(here.asked) == 2
        assert result(probed(transfer, here.url())) == (200, None)
        assert "cookie" not in here.asked[2].headers  # kept within one probe only


COOKIES = {
    "sid=1": True,
    "sid=1; Path=/other": False,
    "sid=1; Path=/a": True,
    "sid=1; Path=/a/b": True,
    "sid=1; Path=/a/bc": False,
    "sid=1; Max-Age=0": False,
    "sid=1; Max-Age=60": True,
    "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT": False,
    "sid=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT": True,
    "sid=1; Domain=127.0.0.1": True,
    "sid=1; Domain=example.org": False,
    "sid=1; Secure": False,
    'sid="1"': True,
}


@pytest.mark.parametrize("cookie", COOKIES)
def test_the_scope_of_a_cookie(transfer: TransferKind, cookie: str) -> None:
    with server(lambda asked: to("/a/b/c", 302, cookie) if asked.path == "/a/start" else ok()) as here:
        assert result(probed(transfer, here.url("/a/start"))) == (200, None)
        assert ("sid=" in here.asked[1].headers.get("cookie", "")) is COOKIES[cookie]


def test_a_cookie_is_for_its_host_and_can_be_deleted_and_replaced(transfer: TransferKind) -> None:
    steps = {
        "/1": lambda: to("/2", 302, "a=1; Path=/", "b=1; Path=/"),
        "/2": lambda: to("/3", 302, "a=2; Path=/", "b=; Path=/; Max-Age=0"),
        "/3": lambda: to(here.url("/4", host="localhost"), 302),
        "/4": lambda: to(here.url("/5"), 302, "c=1; Domain=localhost"),
        "/5": ok,
    }
    with server(lambda asked: steps[asked.path]()) as here:
        assert result(probed(transfer, here.url("/1"))) == (200, None)
        sent = {asked.path: asked.headers.get("cookie") for asked in here.asked}
    assert set((sent["/2"] or "").split("; ")) == {"a=1", "b=1"}
    assert (sent["/3"], sent["/4"], sent["/5"]) == ("a=2", None, "a=2")


def test_a_cookie_of_ones_own_is_joined_with_those_that_are_set(transfer: TransferKind) -> None:
    with server(lambda asked: to("/b", 302, "sid=2; Path=/") if asked.path == "/a" else ok()) as here:
        probed(transfer, here.url("/a"), headers={"Cookie": "sid=1; theme=dark"})
        assert here.asked[0].headers["cookie"] == "sid=1; theme=dark"
        assert here.asked[1].headers["cookie"] == "theme=dark; sid=2"


def interim(*statuses: int) -> servers.Handler:
    heads = b"".join(b"HTTP/1.1 %d Wait\r\nLink: </a.css>\r\nLocation: /wrong\r\n\r\n" % status for status in statuses)

    def handle(connection: socket.socket) -> None:
        servers.read_request(connection)
        connection.sendall(heads + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    return handle


@pytest.mark.parametrize("statuses", [(100,), (102,), (103,), (103, 103), (100, 102, 103), (199,)])
def test_an_interim_reply_is_not_the_answer(transfer: TransferKind, statuses: tuple[int, ...]) -> None:
    with servers.raw_server(interim(*statuses)) as port:
        row = probed(transfer, f"http://127.0.0.1:{port}/", assertions=('body == "ok"',))
    assert result(row) == (200, None) and row["response_bytes"] == 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b""])
def test_no_answer_after_an_interim_reply_is_no_answer(transfer: TransferKind, head: bytes) -> None:
    assert result(answered(transfer, head)) == (None, "reset")


@pytest.mark.parametrize("rest", [b"", b"hello", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
def test_a_protocol_that_nobody_asked_for_is_an_error(transfer: TransferKind, rest: bytes) -> None:
    head = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert result(answered(transfer, head + rest)) == (None, "protocol")


def answered(transfer: TransferKind, reply: bytes) -> dict[str, Any]:
    """The row of a probe whose server sends these bytes and hangs up."""

    def handle(connection: socket.socket) -> None:
        servers.read_request(connection)
        connection.sendall(reply)

    with servers.raw_server(handle) as port:
        return probed(transfer, f"http://127.0.0.1:{port}/")

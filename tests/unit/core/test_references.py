"""References: what they stand for is read at use, and never shown."""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget, ready_targets
from aiops_nb.collect.secrets import refuse_literal_secrets
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import resolved_text, substituted

SECRET = "s3cret-value"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("ABSENT", raising=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${TOKEN}", SECRET),
        ("a ${TOKEN} b ${TOKEN}", f"a {SECRET} b {SECRET}"),
        ("${ABSENT:-http://h:1/}", "http://h:1/"),
        ("${ABSENT:-}", ""),
        ("${EMPTY:-x}", ""),
        ("$${TOKEN}", "${TOKEN}"),
        ("cost $5, $$5, $x", "cost $5, $$5, $x"),
    ],
)
def test_variables_are_put_in(text: str, expected: str) -> None:
    assert substituted(text, "here") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${ABSENT}", "here: expected an environment variable that is set, got '${ABSENT}'"),
        ("env:ABSENT", "here: expected an environment variable that is set, got 'env:ABSENT'"),
        ("file:/no/such", "here: expected a readable text file of at most 64 KiB, got 'file:/no/such'"),
        ("file:/dev/zero", "here: expected a readable text file of at most 64 KiB, got 'file:/dev/zero'"),
        ("${TOKEN", "here: expected ${NAME} or ${NAME:-default}, got '${'"),
        ("${TO KEN}", "here: expected ${NAME} or ${NAME:-default}, got '${'"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolved_text(text, "here")
    assert str(raised.value) == message


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names in folders there")
def test_a_file_that_is_no_secret_is_not_read_whole(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # whose other end nobody opens
    (tmp_path / "large").write_bytes(b"x" * 65_537)
    for name in ("pipe", "large"):
        with pytest.raises(ConfigError, match="here: expected a readable text file of at most 64 KiB, got"):
            resolved_text(f"file:{tmp_path / name}", "here")


def test_a_value_with_a_reference_in_it_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "${TOKEN}")
    assert resolved_text("${OUTER}", "here") == "${TOKEN}"


@pytest.mark.parametrize("url", ["env:TOKEN", "${TOKEN}", "ftp://${TOKEN}/"])
def test_a_wrong_value_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ready_targets([ProbeTarget(url=url)], 1.0)
    assert str(raised.value).startswith("targets[0].url: expected http://host") and SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"headers": {"authorization": f"Bearer {SECRET}"}}, "targets[0].headers.authorization"),
        ({"headers": {"Cookie": f"sid={SECRET}"}}, "targets[0].headers.Cookie"),
        ({"headers": {"X-Api-Key": "${ABSENT:-" + SECRET + "}"}}, "targets[0].headers.X-Api-Key"),
        ({"url": f"https://joe:{SECRET}@h/"}, "targets[0].url"),
        ({"url": f"https://h/?a=1&access_token={SECRET}"}, "targets[0].url"),
    ],
)
def test_a_literal_secret_is_refused_unseen(fields: dict[str, object], path: str) -> None:
    target = ProbeTarget(**{"url": "https://h/", **fields})  # type: ignore[arg-type]
    with pytest.raises(ConfigError) as raised:
        refuse_literal_secrets(target, "targets[0]")
    assert str(raised.value).startswith(f"{path}: expected a reference") and SECRET not in str(raised.value)


def test_a_reference_and_what_is_no_secret_are_let_in() -> None:
    headers = {"Authorization": "Bearer ${TOKEN}", "Cookie": "file:c", "Accept": "*/*", "X-Author": "joe", "X-Auth": ""}
    target = ProbeTarget(url="https://${USER}:${TOKEN}@h/?token=${TOKEN}&page=2&monkey=1", headers=headers)
    refuse_literal_secrets(target, "targets[0]")


class Echo(BaseHTTPRequestHandler):
    """Keeps what it was asked."""

    asked: list[tuple[str, str | None, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["Authorization"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_is_sent_is_the_value_and_what_is_shown_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None, bytes]] = []
    with HTTPServer(("127.0.0.1", 0), type("Kept", (Echo,), {"asked": asked})) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("BASE", f"http://127.0.0.1:{server.server_port}")
        body = tmp_path / "body"
        body.write_text(f"key={SECRET}\n")
        target = ProbeTarget(
            url="${BASE}/${TOKEN}/x", method="POST", headers={"Authorization": "Bearer ${TOKEN}"}, body=f"file:{body}"
        )
        probe = HttpProbe([target], interval_seconds=2.0)
        rows = probe.poll(5.0)
        probe.close()
        server.shutdown()
    assert asked[0] == (f"/{SECRET}/x", f"Bearer {SECRET}", f"key={SECRET}".encode())
    assert rows is not None and rows["target"].to_pylist()[0] == "${BASE}/${TOKEN}/x"
    assert SECRET not in repr(rows.to_pydict()) + repr(target) + repr(probe)

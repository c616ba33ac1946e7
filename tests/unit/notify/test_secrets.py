"""No planted secret appears in an output, a log, a repr, a recording or a database, whatever receivers answer."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller

from aiops_nb import open_recording, watch
from aiops_nb.config.load import load_config
from aiops_nb.core.errors import AiopsError
from aiops_nb.notify.message import Message
from aiops_nb.notify.registry import make_notifier
from tests.ports import free_port

SECRETS = {
    "HOOK_TOKEN": "planted-q",
    "HOOK_HEADER": "planted-h/+",
    "SLACK_TOKEN": "xoxb-planted-s",
    "PAGER_KEY": "planted-p",
    "MAIL_PASSWORD": "planted-m",
    "MANAGER_TOKEN": "Bearer planted-b",
    "SLACK_PATH": "T00/B00/planted-u",
    "APPRISE_WORD": "planted-a",
}
WORDS = ("planted", b64encode(b"planted-m").decode().rstrip("="), b64encode(b"planted-s").decode().rstrip("="))


class Reflecting(BaseHTTPRequestHandler):
    """The worst receiver: it refuses, and repeats everything that it was sent."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        said = f"{self.path}\n{self.headers}\n{raw.decode('utf-8', 'replace')}".encode()
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *arguments: object) -> None: ...


class Gossip:
    """A mail server that repeats the login in its refusal."""

    async def auth_PLAIN(self, server: Any, arguments: list[str]) -> Any:
        from aiosmtpd.smtp import AuthResult

        await server.push(f"535 5.7.8 not {arguments[-1]} (planted-m)")
        return AuthResult(success=False, handled=True)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    servers = {}
    for name, status in (("refuses", 400), ("fails", 503), ("accepts", 200)):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Reflecting)
        server.status = status  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers[name] = server
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    os.environ["CA_FILE"] = str(ca_file)
    mail = Controller(Gossip(), hostname="127.0.0.1", port=free_port(), ssl_context=context, auth_require_tls=False)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # that is the server, which has been sent the password
    mail.start()
    from apprise import apprise

    apprise.get_shared_executor().submit(int).result()  # Apprise keeps a thread for the life of the process
    yield {name: server.server_port for name, server in servers.items()} | {"mail": mail.port}
    apprise.get_shared_executor().shutdown()
    apprise._shared_executor = None
    mail.stop()
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def environment(ports: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLACK_URL", f"http://127.0.0.1:{ports['refuses']}/services/{SECRETS['SLACK_PATH']}")
    monkeypatch.setenv("APPRISE_URL", f"json://user:planted-a@127.0.0.1:{ports['refuses']}/planted-a")


def channels(port: int, mail_port: int, ca_file: str) -> str:
    return f"""
    - {{type: webhook, url: "http://127.0.0.1:{port}/hook?token=${{HOOK_TOKEN}}",
       headers: {{X-Auth-Token: "env:HOOK_HEADER"}}}}
    - {{type: slack, name: bot, token: "env:SLACK_TOKEN", channel: C1, api_url: "http://127.0.0.1:{port}"}}
    - {{type: slack, name: hook, url: "env:SLACK_URL"}}
    - {{type: pagerduty, routing_key: "env:PAGER_KEY", api_url: "http://127.0.0.1:{port}/v2"}}
    - {{type: alertmanager, url: "http://127.0.0.1:{port}", headers: {{Authorization: "env:MANAGER_TOKEN"}}}}
    - {{type: email, host: 127.0.0.1, port: {mail_port}, security: tls, ca_file: {ca_file},
       sender: a@example.org, to: [b@example.org], user: robot, password: "env:MAIL_PASSWORD"}}
    - {{type: apprise, urls: ["env:APPRISE_URL"]}}
"""


def write_config(folder: Path, port: int, mail_port: int) -> Path:
    path = folder / "config.yaml"
    target = f"http://127.0.0.1:{free_port()}/x"
    path.write_text(
        f"targets: [{{url: '{target}', interval: 200ms}}]\nrecord: {folder / 'run'}\n"
        f"notify:\n  escalate: 100ms\n  channels:{channels(port, mail_port, os.environ['CA_FILE'])}",
        "utf-8",
    )
    return path


def assert_nothing_planted(where: str, text: str | bytes) -> None:
    for word in WORDS:
        found = word in text if isinstance(text, str) else word.encode() in text
        assert not found, f"{where}: {word}"


@pytest.mark.parametrize("answer", ["refuses", "fails", "accepts"])
def test_no_channel_shows_a_secret(
    answer: str, ports: dict[str, int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    config = load_config(write_config(tmp_path, ports[answer], ports["mail"]))
    assert config.notify is not None
    one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"target": "shop"}, summary="s")
    for params in config.notify.channels:
        notifier = make_notifier(params)
        said = [repr(params), repr(notifier), str(notifier.__dict__.get("_params"))]
        try:
            notifier.send([one])
        except AiopsError as problem:
            said += [str(problem), repr(problem), repr(problem.__context__), repr(problem.__cause__)]
        notifier.close()
        for text in said[:-2] if answer != "accepts" else said:
            assert_nothing_planted(f"{params.name} {answer}", text)
    assert_nothing_planted("log", caplog.text)


def test_no_run_leaves_a_secret_behind(
    ports: dict[str, int], tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with watch(config=write_config(tmp_path, ports["refuses"], ports["mail"])) as monitor:
        deadline = threading.Event()
        for _ in range(150):
            states = [row["state"] for row in monitor.notifications().to_dict("records")]
            if states.count("failed") >= 5:
                break
            deadline.wait(0.1)
        shown = [repr(monitor), monitor._repr_html_(), *monitor.warnings(), monitor.notifications().to_csv()]
        shown += [monitor.noise().plot().html, monitor.alerts().to_csv()]
        assert any(line.startswith("notify webhook: ") for line in shown)  # as the dashboard shows it
    assert "failed" in states
    recording = open_recording(tmp_path / "run")
    shown += [repr(recording), repr(recording.config), recording.notifications().to_csv()]
    output = capsys.readouterr()
    for text in (*shown, output.out, output.err, caplog.text):
        assert_nothing_planted("shown", text)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(path.name == "notifications.sqlite" for path in files)
    for path in files:
        assert_nothing_planted(str(path), path.read_bytes())


def test_the_command_line_shows_no_secret(ports: dict[str, int], tmp_path: Path) -> None:
    config = write_config(tmp_path, ports["refuses"], ports["mail"])
    for arguments in (["notify", str(config)], ["notify", "--test", str(config)], ["check", str(config)]):
        done = subprocess.run(
            [sys.executable, "-m", "aiops_nb.cli", "-vv", *arguments],
            capture_output=True,
            text=True,
            env=dict(os.environ),
        )
        assert_nothing_planted(" ".join(arguments), done.stdout + done.stderr)
        assert done.stdout + done.stderr

"""The dashboard outside of Jupyter: who may see it, what each viewer gets, and that nothing is left at the end."""

from __future__ import annotations

import http.client
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import comm
import pytest
import websockets.sync.client

import aiops_nb
from aiops_nb.core.errors import ConfigError
from aiops_nb.serve import DashboardServer
from aiops_nb.serve.bridge import packed, unpacked
from aiops_nb.serve.server import PAGE
from tests.ports import free_port

CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}
PLANTED = "<img/src=x/onerror=window.planted=1>"


@pytest.fixture(scope="module")
def monitor():
    with aiops_nb.watch(f"http://127.0.0.1:{free_port()}/{PLANTED}", config=CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def server(monitor):
    with DashboardServer(monitor) as serving:
        yield serving


def got(server, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.putrequest("GET", path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


@contextmanager
def viewing(server, origin=None, token=None):
    url = f"ws://127.0.0.1:{server.port}/socket?token={server.token if token is None else token}"
    origin = f"http://127.0.0.1:{server.port}" if origin is None else origin
    with websockets.sync.client.connect(url, origin=origin or None, max_size=None, compression=None) as socket:
        yield socket


def frames_until(socket, wanted, seconds=15.0):
    """The frames up to one that is wanted."""
    deadline, found = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        found.append(unpacked(socket.recv(timeout=seconds)))
        if wanted(*found[-1]):
            return found
    raise TimeoutError


def models_of(socket):
    """State of each widget by its id, and the id of the root."""
    models = {}
    for header, _ in frames_until(socket, lambda header, _: header["kind"] == "root"):
        if header["kind"] != "beat":
            models.setdefault(header["comm"], {}).update((header.get("data") or {}).get("state", {}))
            root = header["comm"]
    return models, root


def test_the_page_needs_the_token(server):
    status, headers, text = got(server, f"/?token={server.token}")
    assert status == 200 and "<title>aiops_nb</title>" in text and server.token not in text
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Set-Cookie"] is None
    for wrong in (
        "/",
        "/?token=",
        f"/?token={server.token[:-1]}",
        "/?token=%FF",
        "/?token=%C3%A4",
        "/?token=a&token=b",
    ):
        status, headers, text = got(server, wrong)
        assert status in (400, 403) and server.token not in text
    assert got(server, "/static/app.js")[0] == 200
    for nothing in ("/static/../server.py", "/static/index.html", "/module/" + "0" * 64 + ".js", "/favicon.ico"):
        assert got(server, nothing)[0] == 404


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1.example.org", "[", "", "10.0.0.1:80", "127.0.0.1@example.org"]
)
def test_another_host_is_refused(server, host):
    """A name that somebody else's DNS leads here."""
    for path in (f"/?token={server.token}", "/static/app.js"):
        assert got(server, path, Host=host)[0] in (400, 403)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:80"])
def test_a_tunnel_may_have_another_port(server, host):
    assert got(server, f"/?token={server.token}", Host=host)[0] == 200


@pytest.mark.parametrize(
    ("origin", "token"),
    [("http://example.org", None), ("https://127.0.0.1", None), ("null", None), (None, "wrong"), (None, "")],
)
def test_another_origin_or_token_gets_no_socket(server, origin, token):
    with pytest.raises(Exception, match="403"), viewing(server, origin, token):
        pass


def test_two_viewers_get_the_same_and_each_other_s_changes(server, monitor):
    with viewing(server) as one, viewing(server) as two:
        (models, root), (others, other_root) = models_of(one), models_of(two)
        assert root == other_root and models.keys() == others.keys()
        assert models[root]["_model_name"] == "VBoxModel"
        spans = next(id for id, state in models.items() if state.get("_model_name") == "ToggleButtonsModel")
        data = {"method": "update", "state": {"index": 0}, "buffer_paths": []}
        one.send(packed({"comm": spans, "data": data}))
        frames_until(two, lambda header, _: header.get("comm") == spans and header["data"]["state"]["index"] == 0)
        with viewing(server) as late:
            assert models_of(late)[0][spans]["index"] == 0
    assert len([name for name in map(lambda one: one.name, threading.enumerate()) if "view-pump" in name]) == 1


def test_what_is_no_message_ends_nothing(server, caplog):
    with viewing(server) as socket, caplog.at_level(logging.WARNING):
        root = models_of(socket)[1]
        wrong = [b"", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02[]", packed({"comm": root}), packed({"comm": "none"})]
        wrong += [packed({"comm": root, "data": {"method": "request_state"}}), packed({"comm": root, "data": 3})]
        for frame in wrong:
            socket.send(frame)
        frames_until(socket, lambda header, _: header["kind"] == "beat")
    with viewing(server) as socket:
        assert models_of(socket)[1] == root


def test_every_widget_of_the_dashboard_can_be_drawn(server):
    known = set(re.findall(r"^  (\w+Model):", (PAGE / "app.js").read_text(encoding="utf-8"), re.MULTILINE))
    assert "VBoxModel" in known
    with viewing(server) as socket:
        models = models_of(socket)[0]
    silent = {"LayoutModel"}
    views = {state["_model_name"] for state in models.values() if state.get("_view_name") and "_esm" not in state}
    assert {name for name in views if not name.endswith("StyleModel")} - silent <= known


def test_scripts_are_loaded_by_url_and_the_token_is_not_logged(server, caplog):
    with caplog.at_level(logging.DEBUG), viewing(server) as socket:
        models = models_of(socket)[0]
        digests = {state["_esm"] for state in models.values() if "_esm" in state}
        assert len(digests) >= 4
        for digest in digests:
            status, headers, text = got(server, f"/module/{digest}.js")
            assert status == 200 and "export default" in text and "javascript" in headers["Content-Type"]
        got(server, f"/?token={server.token}")
        got(server, f"/?token=%FF&other={server.token}")
        got(server, f"/nothing?token={server.token}")
        with pytest.raises(Exception, match="403"), viewing(server, "http://example.org"):
            pass
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets")]
    assert ours and server.token not in "".join(ours)


def test_nothing_is_left(monitor):
    before = {one.name for one in threading.enumerate()}
    made = comm.create_comm
    with DashboardServer(monitor) as other:
        assert comm.create_comm is not made
        with viewing(other) as socket:
            models_of(socket)
            with pytest.raises(ConfigError, match="a free port"):
                DashboardServer(monitor, other.port)
    other.close()
    assert comm.create_comm is made and monitor.running
    assert {one.name for one in threading.enumerate()} <= before
    with pytest.raises(OSError):
        got(other, "/")


def test_the_command_serves_until_it_is_interrupted(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"host_metrics: false\ntargets:\n- url: http://127.0.0.1:{free_port()}/\n")
    command = [sys.executable, "-m", "aiops_nb.cli", "serve", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split(": ")[1].strip()
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
        connection.request("GET", f"/?{parts.query}")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 0 and out.endswith("stopped\n") and "Traceback" not in errors

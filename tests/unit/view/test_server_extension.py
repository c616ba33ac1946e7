"""Our route of the Jupyter server: BokehJS for those who are logged in, and nothing but BokehJS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from importlib.metadata import version
from pathlib import Path

import pytest

from aiops_nb.view.widgets.server_extension import BOKEH_FILES, bokeh_script
from tests.paths import ROOT
from tests.ports import free_port

TOKEN = "a-token-of-this-test"
START_SECONDS = 60.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


def ask(url: str, token: str = "") -> tuple[int, bytes]:
    """Status and body, without following a redirect to a login page."""
    headers = {"Authorization": f"token {token}"} if token else {}
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        answer: HTTPResponse
        with opener.open(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server with a token, configured as an installation of ours configures it."""
    home, port = tmp_path_factory.mktemp("server"), free_port()
    extensions = home / "config" / "jupyter_server_config.d"
    extensions.mkdir(parents=True)
    shutil.copy(ROOT / "aiops_nb" / "view" / "jupyter_server_config.json", extensions / "aiops_nb.json")
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    environment = os.environ | {name: str(home / folder) for name, folder in names.items()}
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=home)
    try:
        wait_until_it_answers(process, port, home / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            ask(f"http://127.0.0.1:{port}/api")
        except OSError:
            time.sleep(0.1)  # a process that begins to listen notifies nobody
        else:
            return
    raise TimeoutError(log.read_text()[-2000:])


def route(server: str, name: str) -> str:
    return f"{server}/aiops_nb/bokeh/{version('bokeh')}/{name}"


@pytest.mark.parametrize("token", ["", "a-wrong-token"])
@pytest.mark.parametrize("name", BOKEH_FILES)
def test_nobody_gets_a_script_without_a_login(server: str, name: str, token: str) -> None:
    status, body = ask(route(server, name), token)
    assert status in (302, 401, 403)
    assert body != bokeh_script(name).read_bytes() and len(body) < 10_000


@pytest.mark.parametrize("name", BOKEH_FILES)
def test_who_is_logged_in_gets_the_installed_script(server: str, name: str) -> None:
    assert ask(route(server, name), TOKEN) == (200, bokeh_script(name).read_bytes())


@pytest.mark.parametrize(
    "name", ["bokeh.js", "../bokeh.json", "..%2f..%2f..%2f__init__.py", "bokeh.min.js/../../x", "bokehxmin.js"]
)
def test_no_other_file_is_served(server: str, name: str) -> None:
    status, _ = ask(route(server, name), TOKEN)
    assert status == 404

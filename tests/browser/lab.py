"""A real JupyterLab on a free port, and notebooks in it driven by a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

START_TIMEOUT_SECONDS = 60.0
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LAB_FLAGS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.password=",
    "--IdentityProvider.token=",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
)
# Lab's news and updates ask the network; the tests hold that nothing does.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome of the system."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A running JupyterLab."""

    url: str
    folder: Path
    log: Path


def _environment(home: Path) -> dict[str, str]:
    """Settings, kernels and runtime files of its own; nothing of the user's is read or written."""
    settings = home / "lab-settings"
    for plugin, values in LAB_SETTINGS.items():
        package, _, name = plugin.rpartition(":")
        (settings / package).mkdir(parents=True, exist_ok=True)
        (settings / package / f"{name}.jupyterlab-settings").write_text(json.dumps(values))
    own = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": settings,
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    return {**os.environ, **{name: str(path) for name, path in own.items()}}


@contextmanager
def running_lab(home: Path, *extra: str) -> Iterator[Lab]:
    """Start JupyterLab in `home`, wait until it answers, and end it with its kernels."""
    folder, log = home / "notebooks", home / "lab.log"
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "jupyter", "lab", *LAB_FLAGS, f"--ServerApp.root_dir={folder}", *extra]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=_environment(home), cwd=home)
    lab = Lab(url=f"http://127.0.0.1:{port}", folder=folder, log=log)
    try:
        _wait_until_it_answers(lab, process)
        yield lab
    finally:
        _end(process)


def _wait_until_it_answers(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"JupyterLab ended: {lab.log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(f"{lab.url}/api/status", timeout=2).close()
        except OSError:
            time.sleep(0.1)  # a process that begins to listen notifies nobody
        else:
            return
    raise TimeoutError(f"JupyterLab does not answer: {lab.log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # Jupyter Server ends its kernels
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def notebook_of(cells: Sequence[str]) -> dict[str, Any]:
    """A notebook with these code cells."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "id": f"cell-{i}",
                "cell_type": "code",
                "source": cell,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for i, cell in enumerate(cells)
        ],
    }


@dataclass(slots=True)
class Notebook:
    """A notebook open in a page of its own."""

    lab: Lab
    page: Page
    path: Path
    requests: list[str] = field(default_factory=list)
    session: str = ""

    @classmethod
    def open(cls, lab: Lab, context: BrowserContext, cells: Sequence[str]) -> Notebook:
        """Write a notebook of these cells and open it; every request of the page is recorded."""
        path = lab.folder / f"{uuid.uuid4().hex[:8]}.ipynb"
        path.write_text(json.dumps(notebook_of(cells)))
        notebook = cls(lab, context.new_page(), path)
        notebook.page.on("request", lambda request: notebook.requests.append(request.url))
        notebook.load()
        return notebook

    def load(self) -> None:
        """Load the page, or load it again."""
        self.page.goto(f"{self.lab.url}/lab/workspaces/{self.path.stem}/tree/{self.path.name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function(KERNEL_IDLE, timeout=60_000)
        self.session = self.page.evaluate(SESSION_ID)

    def end(self) -> None:
        """Shut the kernel down and close the page; may be called twice."""
        if not self.page.is_closed():
            self.page.evaluate("(id) => window.jupyterapp.serviceManager.sessions.shutdown(id)", self.session)
            self.page.close()

    def command(self, name: str, **arguments: Any) -> None:
        """Have JupyterLab do something, without waiting for it."""
        self.page.evaluate("([name, args]) => void window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Run all cells."""
        self.command("notebook:run-all-cells")

    def run_cell(self, index: int) -> None:
        """Run one cell."""
        self.page.evaluate("(i) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index)
        self.command("notebook:run-cell")

    def output(self, index: int, timeout_seconds: float = 30.0) -> str:
        """Text that a cell printed, once its run is over."""
        self.page.wait_for_function(CELL_DONE, arg=index, timeout=timeout_seconds * 1000)
        return str(self.page.evaluate(CELL_TEXT, index))

    def print_of(self, index: int) -> str:
        """Run one cell again and return what it prints."""
        self.page.evaluate(CELL_RESET, index)
        self.run_cell(index)
        return self.output(index)

    def wait(self, condition: str, timeout_seconds: float = 20.0, arg: Any = None) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        return self.page.wait_for_function(condition, arg=arg, timeout=timeout_seconds * 1000).json_value()

    def save(self) -> int:
        """Save the notebook; its size in bytes."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return self.path.stat().st_size

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme and wait until the page has it."""
        self.command("apputils:change-theme", theme=name)
        self.wait("(name) => document.body.dataset.jpThemeName === name", arg=name)

    def foreign_requests(self) -> list[str]:
        """Requests that left the machine, or would have."""
        local = (self.lab.url, self.lab.url.replace("http", "ws"), "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(local)]


SESSION_ID = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.id"
_CELL = "(i) => { const cell = window.jupyterapp.shell.currentWidget.content.widgets[i].model;"
KERNEL_IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
CELL_DONE = f"{_CELL} return cell.executionCount !== null && cell.executionState !== 'running'; }}"
CELL_RESET = f"{_CELL} cell.executionCount = null; }}"
CELL_TEXT = f"{_CELL} return cell.outputs.toJSON().map((o) => [o.text ?? ''].flat().join('')).join(''); }}"


Opener = Callable[[Sequence[str]], Notebook]


@contextmanager
def page_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, 1,500 px wide."""
    context = browser.new_context(viewport={"width": 1500, "height": 1300})
    try:
        yield context
    finally:
        context.close()


@contextmanager
def opening(lab: Lab, browser: Browser) -> Iterator[Opener]:
    """Opens notebooks in one profile; in the end their kernels are shut down."""
    with page_context(browser) as context:
        opened: list[Notebook] = []

        def open_one(cells: Sequence[str]) -> Notebook:
            opened.append(Notebook.open(lab, context, cells))
            return opened[-1]

        yield open_one
        for notebook in opened:
            notebook.end()

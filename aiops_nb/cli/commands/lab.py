"""`aiops-nb lab`: JupyterLab on the live monitor."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from aiops_nb.core.errors import ConfigError, MissingExtraError

SUMMARY = "open JupyterLab on the live monitor; prints the address if no browser can be opened"
EXAMPLE = "aiops-nb lab --dir ~/monitoring"
FIRST_NOTEBOOK = "01_live_monitor.ipynb"
# Nothing leaves the machine: no announcements, no update checks, no list of extensions from afar.
QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("notebook", nargs="?", default=FIRST_NOTEBOOK, help=f"default: {FIRST_NOTEBOOK}")
    command.add_argument(
        "--dir",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder that contains notebooks/ (default: current folder)",
    )
    command.add_argument("--port", type=int, default=8888, help="default: 8888, or the next free port")
    command.add_argument("--no-browser", action="store_true", help="print the address, open no browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    folder = arguments.dir.expanduser().resolve()
    notebook = ensure_notebooks(folder) / arguments.notebook
    if not notebook.is_file():
        names = ", ".join(sorted(path.name for path in notebook.parent.glob("*.ipynb")))
        raise ConfigError.at(str(notebook.parent), f"a notebook, one of {names}", arguments.notebook)
    serve(server_arguments(folder, notebook, arguments.port, browser=not arguments.no_browser))
    return 0


def ensure_notebooks(folder: Path) -> Path:
    """The notebooks of a folder; where there are none, a copy of the packaged ones.

    A notebook that is there already is never written over.
    """
    notebooks = folder / "notebooks"
    if not notebooks.exists():
        shutil.copytree(packaged_notebooks(), notebooks, ignore=shutil.ignore_patterns(".*", "recordings", "reports"))
    return notebooks


def packaged_notebooks() -> Path:
    """Where this installation keeps its notebooks."""
    from aiops_nb.report.batch.execution import template

    return template(FIRST_NOTEBOOK).parent


def server_arguments(folder: Path, notebook: Path, port: int, *, browser: bool) -> list[str]:
    """Arguments of JupyterLab: loopback, token, this folder, this notebook."""
    arguments = [
        str(notebook),
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
    ]
    arguments += QUIET
    if not browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # in a container everybody is root; the server listens on loopback only
    return arguments


def serve(arguments: Sequence[str]) -> None:
    """Run JupyterLab in this process until it ends, and print its address when it is ready.

    Raises
    ------
    MissingExtraError
        If JupyterLab is not installed.
    """
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        raise MissingExtraError("notebooks", "all") from None
    server = LabApp.initialize_server(argv=list(arguments))
    path = quote(Path(arguments[0]).relative_to(server.root_dir).as_posix())
    address = f"{server.connection_url}lab/tree/{path}?token={server.identity_provider.token}"
    # Listening is queued in the loop by now; only behind it does the address answer.
    server.io_loop.add_callback(print, f"JupyterLab: {address}", flush=True)
    server.start()

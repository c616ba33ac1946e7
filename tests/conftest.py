"""A test leaves nothing behind: no thread, no listening socket, no child process, no file in the working folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

BROWSER = Path(__file__).with_name("browser")
GRACE_SECONDS = 3.0
TOOL_FOLDERS = {".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache", "__pycache__"}
LOOP_THREADS = "asyncio_"  # of an event loop that a whole session shares; they end with it
# The interpreter's own: started once for a whole process, and ended with it.
TOOL_PROCESSES = ("resource_tracker", "forkserver")
# How long an example takes says how busy the machine is; benchmarks/ holds how fast we are.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was derived from recordings is kept for this session only, and signed with its own secret."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("user")
        patch.setattr("aiops_nb.record.derived.secret.user_folder", folder.joinpath)
        patch.setattr("aiops_nb.session.derived_access.user_folder", folder.joinpath)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, where others start their own."""
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which something still runs, listens or lies about."""
    before = {name: look() for name, look in LOOKS.items()}
    yield
    for name, look in LOOKS.items():
        left = _wait_until_gone(look, before[name])
        if left:
            pytest.fail(f"{request.node.name} left behind, {name}: {', '.join(sorted(left))}", pytrace=False)


def _wait_until_gone(look: Callable[[], set[str]], before: set[str]) -> set[str]:
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := look() - before) and time.monotonic() < deadline:
        time.sleep(0.02)  # what was told to end may still be ending; there is no event for all of it
    return left


def _threads() -> set[str]:
    return {
        f"{thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if thread.name.startswith("aiops-") or not (thread.daemon or thread.name.startswith(LOOP_THREADS))
    }


def _listening() -> set[str]:
    connections = psutil.Process().net_connections(kind="inet")
    return {f"{c.laddr.ip}:{c.laddr.port}" for c in connections if c.status == psutil.CONN_LISTEN}


def _children() -> set[str]:
    return {text for child in psutil.Process().children() if (text := _describe(child))}


def _describe(child: psutil.Process) -> str:
    try:
        command = " ".join(child.cmdline())
    except psutil.Error:
        return ""  # ended in the meantime, or waits to be reaped
    return "" if not command or any(tool in command for tool in TOOL_PROCESSES) else f"{child.pid} {command[:80]}"


def _files() -> set[str]:
    return {path.name for path in Path.cwd().iterdir()} - TOOL_FOLDERS


LOOKS: dict[str, Callable[[], set[str]]] = {
    "threads": _threads,
    "listening sockets": _listening,
    "child processes": _children,
    "files in the working folder": _files,
}

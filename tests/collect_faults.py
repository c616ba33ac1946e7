"""mitmproxy in front of a real server, which spoils replies as it is told; it lives in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

INSTALL_SECONDS = 300
ADDON = """
import asyncio, os, sys
from mitmproxy import ctx, http

def running():
    (host, port, *_), *_ = ctx.master.addons.get("proxyserver").listen_addrs()
    print(port, flush=True)

async def request(flow):
    with open(os.environ["FAULT_FILE"]) as file:
        fault = flow.request.headers.pop("x-fault", None) or file.read()
    if fault == "503":
        flow.response = http.Response.make(503, b"overloaded")
    elif fault == "kill":
        flow.kill()
    elif fault:
        await asyncio.sleep(float(fault))
"""


def installed(cache: Path) -> Path:
    """The program `mitmdump`; its dependencies are pinned so that they do not fit beside ours.

    Skips, loudly, where it cannot be installed.
    """
    program = cache / "venv" / "bin" / "mitmdump"
    done_file = cache / "installed"
    if done_file.exists() and program.exists():
        return program
    if sys.platform == "win32":
        pytest.skip("NOT TESTED: faults by mitmproxy, on Windows")
    python = program.with_name("python")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(cache / "venv")],
        [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "mitmproxy>=11"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode:
            pytest.skip(f"NOT TESTED: faults by mitmproxy, which could not be installed: {done.stderr[-300:]}")
    done_file.touch()
    return program


@dataclass(frozen=True, slots=True)
class FaultyProxy:
    """A running proxy: a request's header `X-Fault` or else its file says the fault (503, kill, seconds of delay)."""

    url: str
    fault_file: Path


@contextmanager
def faulty_proxy(program: Path, upstream: str, folder: Path) -> Iterator[FaultyProxy]:
    """The proxy in front of `upstream`."""
    addon, fault_file = folder / "addon.py", folder / "fault"
    addon.write_text(ADDON)
    fault_file.write_text("")
    command = [str(program), "--quiet", "--mode", f"reverse:{upstream}", "--listen-host", "127.0.0.1"]
    command += ["--listen-port", "0", "--scripts", str(addon), "--set", f"confdir={folder}"]
    environment = {**os.environ, "FAULT_FILE": str(fault_file)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield FaultyProxy(f"http://127.0.0.1:{int(process.stdout.readline())}", fault_file)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

"""What a second viewer costs `aiops-nb serve`: CPU of the process with one, two and four pages that read everything.

Ten targets are probed each second. The pages are connections that receive all frames; drawing is the browser's.
`python -m benchmarks.serve_viewers --seconds 20`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack

import psutil

SERVER = """
import threading, sys
import aiops_nb
from aiops_nb.serve import DashboardServer
targets = [f"http://127.0.0.1:9/{number}" for number in range(10)]
with aiops_nb.watch(targets) as monitor, DashboardServer(monitor) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
PAGE = """
import sys
from urllib.parse import urlsplit
from websockets.sync.client import connect
url = urlsplit(sys.argv[1])
with connect(f"ws://{url.netloc}/socket?{url.query}", origin=f"http://{url.netloc}", max_size=None) as socket:
    for frame in socket:
        pass
"""
WARM_UP_SECONDS = 6.0


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process that runs some code."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], text=True, **pipes)  # type: ignore[call-overload]


def cpu_ratio(process: psutil.Process, seconds: float) -> float:
    """CPU seconds of a process a second."""
    before, begun = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.monotonic() - begun)


def main() -> None:
    """Print a line for each number of viewers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time for each number of viewers")
    seconds = parser.parse_args().seconds
    with ExitStack() as ends:
        server = python(SERVER)
        ends.callback(server.communicate, "")
        url = server.stdout.readline().strip()
        process, first, pages = psutil.Process(server.pid), 0.0, 0
        for viewers in (1, 2, 4):
            while pages < viewers:
                ends.callback(python(PAGE, url).kill)
                pages += 1
            time.sleep(WARM_UP_SECONDS)
            ratio = cpu_ratio(process, seconds)
            first = first or ratio
            print(f"{viewers} viewers: {ratio:.1%} of a core, {ratio / first - 1:+.0%} against one", flush=True)


if __name__ == "__main__":
    main()

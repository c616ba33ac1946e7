"""`python -m aiops_nb.demo --port 8765 --seed 7`: the demo service in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

from aiops_nb.core.errors import AiopsError
from aiops_nb.demo.play import run
from aiops_nb.demo.script import KINDS, PATHS, DemoParams
from aiops_nb.demo.site import Site


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted; 0 if it ran, 2 if it could not start."""
    arguments = _parser().parse_args(argv)
    if arguments.child:
        return _run_child(DemoParams(**json.loads(arguments.child)))
    try:
        asyncio.run(_run_until_interrupted(_params(arguments)))
    except KeyboardInterrupt:
        return 0
    except (AiopsError, OSError) as problem:
        print(f"demo service: {_message(problem, arguments.port)}", file=sys.stderr)
        return 2
    return 0


def _message(problem: Exception, port: int) -> str:
    if isinstance(problem, OSError) and problem.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another with --port"
    return str(problem)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aiops_nb.demo",
        description="A demo service to monitor; its faults follow a seeded script.",
        epilog="example: python -m aiops_nb.demo --port 8765 --seed 7 --labels labels.jsonl",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=8765, help="port to listen on, 0 for any free one (default: 8765)")
    parser.add_argument("--seed", type=int, default=7, help="seed of latencies and faults (default: 7)")
    parser.add_argument("--labels", default="", metavar="FILE", help="append the faults here, one JSON line each")
    parser.add_argument("--access-log", default="", metavar="FILE", help="write a combined access log")
    parser.add_argument("--first-fault-after", type=float, default=60.0, metavar="SECONDS", help="default: 60")
    parser.add_argument("--time-scale", type=float, default=1.0, help="how many times faster faults come (default: 1)")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS, help="which faults happen (default: all)")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser


def _params(arguments: argparse.Namespace) -> DemoParams:
    return DemoParams(
        seed=arguments.seed,
        host=arguments.host,
        port=arguments.port,
        labels_path=arguments.labels,
        access_log_path=arguments.access_log,
        first_fault_after_seconds=arguments.first_fault_after,
        time_scale=arguments.time_scale,
        kinds=tuple(arguments.kinds),
    )


async def _run_until_interrupted(params: DemoParams) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # of our own: a shell's background job inherits an ignored SIGINT
        _stop_on(number, stop)
    await run(params, stop, _print_urls)


def _stop_on(number: int, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _print_urls(site: Site) -> None:
    print(f"demo service on {site.url} (Ctrl-C ends it)")
    print("\n".join(f"  {site.url}{path}" for path in (*PATHS, "/metrics", "/labels")), flush=True)


def _run_child(params: DemoParams) -> int:
    # A notebook's interrupt reaches the whole process group, and means the cell, not the service.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(_run_until_stdin_closes(params))
    except OSError as problem:
        print(json.dumps({"error": str(problem)}), flush=True)
        return 2
    return 0


async def _run_until_stdin_closes(params: DemoParams) -> None:
    stop = asyncio.Event()
    _stop_on(signal.SIGTERM, stop)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    await run(params, stop, lambda site: print(json.dumps({"url": site.url}), flush=True))


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())

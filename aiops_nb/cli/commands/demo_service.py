"""`aiops-nb demo-service`: a service to watch, whose faults follow a seeded script."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

from aiops_nb.cli.process import stop_wishes
from aiops_nb.core.errors import AiopsError

SUMMARY = "run a small HTTP service whose faults follow a seeded script"
EXAMPLE = "aiops-nb demo-service --port 8765 --seed 7 --labels labels.jsonl"
LOOK_EVERY_SECONDS = 0.5


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("--port", type=int, default=8765, help="0: any free port (default: 8765)")
    command.add_argument("--seed", type=int, default=7, help="seed of latencies and faults (default: 7)")
    command.add_argument(
        "--labels", type=Path, metavar="FILE", help="append the faults to this file, one JSON object per line"
    )
    command.add_argument("--json", action="store_true", help="print the addresses as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from aiops_nb.demo import start_demo_service

    over = threading.Event()
    with (
        stop_wishes(over.set) as wish,
        start_demo_service(port=arguments.port, seed=arguments.seed, labels_path=arguments.labels) as service,
    ):
        _announce(service.url, service.urls, as_json=arguments.json)
        while service.running and not over.wait(LOOK_EVERY_SECONDS):
            pass
        if not over.is_set():
            raise AiopsError("demo service: it ended unexpectedly")
    return wish.exit_code


def _announce(url: str, urls: tuple[str, ...], *, as_json: bool) -> None:
    people = f"demo service on {url} (Ctrl-C to stop)\n" + "\n".join(f"  {each}" for each in urls)
    print(json.dumps({"url": url, "urls": urls}) if as_json else people, flush=True)

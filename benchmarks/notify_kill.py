"""Notifications over `kill -9`: how many are lost, how many come twice; Debian's Alertmanager next to.

python -m benchmarks.notify_kill [--kills 50] [--seed 1] [--alertmanager-rounds 8]

A process notifies of alerts that begin and end by a schedule, and is killed at random moments. Each new process fires
again what is active then, as an engine does after a restart. The receiver answers 200, 500, 429, late, or not at all,
and drops a POST whose `Idempotency-Key` it has seen. Alertmanager's webhook has no such key.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch
from aiops_nb.core.types import AlertChange, Item, Step
from aiops_nb.monitor.notifications import Notifications
from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.params import NotifyParams, WebhookParams
from aiops_nb.notify.registry import make_notifier

STEP_SECONDS = 0.02
LASTS_STEPS = 25
ADOPT_SECONDS = 2.0


class Receiver(ThreadingHTTPServer):
    """Counts what it accepted, by alert and kind; its failures are drawn from a seed, or none."""

    daemon_threads = True

    def __init__(self, seed: int | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.draw = None if seed is None else random.Random(seed)
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.keys: set[str] = set()
        self.repeated = 0
        self.lock = threading.Lock()
        self.came = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 200
        with self.server.lock:
            chance = 1.0 if self.server.draw is None else self.server.draw.random()
        if chance < 0.1:
            status = 500
        elif chance < 0.2:
            status = 429
        elif chance < 0.25:
            time.sleep(0.3)  # a late answer
        elif chance < 0.28:
            self.close_connection = True  # no answer at all
            return
        if status == 200:
            key = self.headers.get("Idempotency-Key", "")
            with self.server.lock:
                repeated = bool(key) and key in self.server.keys
                self.server.keys.add(key)
                self.server.repeated += len(payload["alerts"]) if repeated else 0
                for alert in () if repeated else payload["alerts"]:
                    name = alert["labels"].get("number", alert["labels"]["alertname"])
                    self.server.accepted[name, alert["status"]] += 1
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        if status == 200:
            self.server.came.set()

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def receiving(seed: int | None) -> Iterator[Receiver]:
    receiver = Receiver(seed)
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


def change(number: int, state: str, time_ns: int) -> AlertChange:
    """The alert of that number fires or ends."""
    labels = {"alertname": "scheduled", "severity": "error", "target": "shop", "number": str(number)}
    ends_at_ns = time_ns if state == "resolved" else None
    return AlertChange(
        time_ns=time_ns,
        state="firing" if state == "firing" else "resolved",
        labels=labels,
        fingerprint=f"f{number}",
        pending_at_ns=time_ns,
        starts_at_ns=time_ns,
        ends_at_ns=ends_at_ns,
    )


def _notifications(url: str, log: Path) -> Notifications:
    channel = WebhookParams(url=url, timeout_seconds=1.0)
    waits = {"group_wait_seconds": 0.0, "group_interval_seconds": 0.0, "digest_interval_seconds": 0.0}
    params = NotifyParams(channels=(channel,), adopt_seconds=ADOPT_SECONDS, **waits)
    return Notifications(params, [make_notifier(channel)], NotificationLog(log))


def run_child(url: str, log: Path, first: int, last: int) -> None:
    """Alert n fires at step n and ends at step n + LASTS_STEPS; those active at the first step fire again."""
    sink = _notifications(url, log)
    active = range(max(0, first - LASTS_STEPS + 1), first)
    _write(sink, [change(number, "firing", time.time_ns()) for number in active])
    print("ready", flush=True)
    for step in range(first, last):
        _write(sink, [change(step, "firing", time.time_ns())])
        if step >= LASTS_STEPS:
            _write(sink, [change(step - LASTS_STEPS, "resolved", time.time_ns())])
        print(step, flush=True)
        time.sleep(STEP_SECONDS)
    sys.stdin.readline()
    sink.close()


def _write(sink: Notifications, changes: list[AlertChange]) -> None:
    sink.write(Step(item=Item(seq=0, table="requests", source="bench", batch=None), changes=changes))  # type: ignore[arg-type]


def ours(kills: int, seed: int) -> dict[str, int]:
    """Kill a notifying process so often; what the receiver then has."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, receiving(seed) as receiver:
        log = Path(folder) / "notifications.sqlite"
        first = 0
        for _ in range(kills):
            first = _killed_after(receiver.url, log, first, draw.uniform(0.05, 0.8))
        sink = _notifications(receiver.url, log)
        began = time.monotonic()
        _write(
            sink, [change(number, "firing", time.time_ns()) for number in range(max(0, first - LASTS_STEPS + 1), first)]
        )
        while time.monotonic() - began < 60:
            beat = control_batch(CLOCK_SOURCE, "heartbeat", time.time_ns())
            sink.write(Step(item=Item(seq=0, table="control", source=CLOCK_SOURCE, batch=beat)))
            rows = sink.rows()
            ended = sum(row["kind"] == "resolved" for row in rows)
            waits = any(row["state"] in ("queued", "sending") for row in rows)
            if not waits and time.monotonic() - began > ADOPT_SECONDS + 1 and ended:
                break
            time.sleep(0.1)
        rows = sink.rows()
        sink.close()
        return _judged(receiver, rows, kills)


def _killed_after(url: str, log: Path, first: int, seconds: float) -> int:
    argv = [sys.executable, "-m", "benchmarks.notify_kill", "--child", url, str(log), str(first)]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    child.stdout.readline()
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    steps = [int(line) for line in child.stdout.read().split()]
    child.stdout.close()
    child.stdin.close()
    return steps[-1] + 1 if steps else first


def _judged(receiver: Receiver, rows: list[dict[str, object]], kills: int) -> dict[str, int]:
    with receiver.lock:
        accepted = dict(receiver.accepted)
    return {
        "kills": kills,
        "messages": len(rows),
        "accepted": sum(accepted.values()),
        "lost": sum(1 for row in rows if row["state"] != "sent"),
        "repeated": receiver.repeated,
        "doubled": sum(count - 1 for count in accepted.values()),
        "unannounced": sum(
            count
            for (name, kind), count in accepted.items()
            if kind == "resolved" and not accepted.get((name, "firing"))
        ),
    }


def alertmanagers(rounds: int) -> dict[str, int]:
    """How often Debian's Alertmanager sends a firing again that it had sent before it was killed."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        return {}
    doubled = 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder, receiving(None) as receiver:
            config = Path(folder) / "alertmanager.yml"
            hook = f"webhook_configs: [{{url: '{receiver.url}'}}]"
            route = "route: {receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 4h}\n"
            config.write_text(f"{route}receivers: [{{name: hook, {hook}}}]\n")
            for _attempt in range(2):
                process, url = _started(program, config, Path(folder) / "data")
                receiver.came.clear()
                _post(f"{url}/api/v2/alerts")
                receiver.came.wait(5)
                process.kill()
                process.wait()
            doubled += receiver.accepted["scheduled", "firing"] - 1
    return {"kills": rounds, "doubled": doubled}


def _started(program: str, config: Path, data: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = random.SystemRandom().randint(10_000, 32_000)
    argv = [program, f"--config.file={config}", f"--storage.path={data}", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*argv, "--cluster.listen-address="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=1):
            break
        time.sleep(0.05)
    return process, url


def _post(url: str) -> None:
    body = json.dumps([{"labels": {"alertname": "scheduled"}}]).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5):
        pass


def main(argv: Sequence[str] = ()) -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # the receiver fails on purpose
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alertmanager-rounds", type=int, default=8)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.child:
        url, log, first = arguments.child
        run_child(url, Path(log), int(first), int(first) + 10_000)
        return
    result = ours(arguments.kills, arguments.seed)
    print("| | kill -9 | messages | lost | sent again with the same key | doubled | resolved without firing |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    cells = (result[name] for name in ("kills", "messages", "lost", "repeated", "doubled", "unannounced"))
    print(f"| aiops_nb, webhook | {' | '.join(map(str, cells))} |")
    other = alertmanagers(arguments.alertmanager_rounds)
    if other:
        print(f"| Alertmanager, webhook | {other['kills']} | {other['kills']} | - | - | {other['doubled']} | - |")


if __name__ == "__main__":
    main(sys.argv[1:])

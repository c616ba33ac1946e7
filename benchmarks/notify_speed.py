"""How soon people hear of a failure, what notifying costs detection, and what a flood of alerts costs.

python -m benchmarks.notify_speed
"""

from __future__ import annotations

import json
import logging
import socket
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiops_nb import watch
from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Item, Step
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.notifications import Notifications
from aiops_nb.monitor.run import FanOut
from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.params import ChannelParams, NotifyParams, PagerDutyParams, WebhookParams
from aiops_nb.notify.registry import make_notifier

SERIES, TICKS, ROUNDS = 100, 120, 3
PACE_SECONDS = 0.02
EPISODES = 8
FLOOD, FLOOD_SECONDS = 10_000, 60
START_NS = 1_780_000_000 * NS_PER_SECOND


class Receiver(ThreadingHTTPServer):
    """Answers every POST, and notes when it came."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[float, dict[str, object]]] = []
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.changed:
            self.server.came.append((time.time(), payload))
            self.server.changed.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


@contextmanager
def dead_ports() -> Iterator[tuple[str, str]]:
    """A port that refuses, and one that takes connections and never answers."""
    with socket.socket() as refusing, socket.socket() as hanging:
        refusing.bind(("127.0.0.1", 0))
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(64)
        yield tuple(f"http://127.0.0.1:{one.getsockname()[1]}/" for one in (refusing, hanging))  # type: ignore[misc]


# -- how soon


def seconds_to_message(episodes: int) -> list[float]:
    """From the row that makes an alert fire to the receiver's having the message; the defaults of a live monitor."""
    waits = []
    with receiving() as receiver, socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        hook = {"type": "webhook", "url": receiver.url}
        for number in range(episodes):
            target = f"http://127.0.0.1:{refusing.getsockname()[1]}/{number}"
            config = {"targets": [{"url": target, "interval": "500ms"}], "notify": {"channels": [hook]}}
            before = len(receiver.came)
            with watch(config=config), receiver.changed:
                receiver.changed.wait_for(lambda: _fired(receiver.came[before:], target), 30)  # noqa: B023
                came, alert = next(_about(receiver.came[before:], target))
            fired = datetime.fromisoformat(str(alert["startsAt"])).timestamp()
            waits.append(came - fired)
    return waits


def _fired(came: Sequence[tuple[float, dict[str, object]]], target: str) -> bool:
    return next(_about(came, target), None) is not None


def _about(came: Sequence[tuple[float, dict[str, object]]], target: str) -> Iterator[tuple[float, dict[str, object]]]:
    for at, payload in came:
        alerts = payload["alerts"]
        assert isinstance(alerts, list)
        yield from ((at, alert) for alert in alerts if alert["labels"]["target"].startswith(target))


# -- what it costs detection


def tick_milliseconds(notified: bool, log: Path) -> float:
    """Median time of a tick of 100 series, a tenth of which fail now and then, in the engine's thread."""
    fan_out = FanOut()
    with receiving() as receiver, dead_ports() as (refusing, hanging):
        if notified:
            alive = [WebhookParams(url=receiver.url, name=f"hook{number}") for number in range(2)]
            pager = PagerDutyParams(routing_key="env:NOTIFY_SPEED_KEY", api_url=receiver.url)
            dead = [WebhookParams(url=refusing, name="refused"), WebhookParams(url=hanging, name="hangs")]
            fan_out.add(_notifications([*alive, pager, *dead], log))
        pipeline, spent = Pipeline(), []
        names = pa.array([f"https://api.example.org/{number}" for number in range(SERIES)])
        for second in range(TICKS):
            item = _second(second, names)
            beat = Item(second, "control", CLOCK_SOURCE, _beat(START_NS + second * NS_PER_SECOND))
            began = time.perf_counter()
            fan_out.deliver(pipeline.push(beat))
            fan_out.deliver(pipeline.push(item))
            spent.append(time.perf_counter() - began)
            time.sleep(PACE_SECONDS)
        fan_out.close()
    return statistics.median(spent[20:]) * 1e3


def _beat(time_ns: int) -> pa.RecordBatch:
    return control_batch(CLOCK_SOURCE, "heartbeat", time_ns)


def _second(second: int, names: pa.Array) -> Item:
    rng = np.random.default_rng(second)
    count = SERIES * 3
    target = np.tile(np.arange(SERIES, dtype=np.int32), 3)
    fails = (target % 10 == 0) & (second % 40 > 20)
    columns = {
        "time": START_NS + second * NS_PER_SECOND + np.sort(rng.integers(0, NS_PER_SECOND, count)),
        "origin": "probe",
        "target": pa.DictionaryArray.from_arrays(target, names),
        "status_code": np.where(fails, 503, 200).astype(np.int16),
        "duration_seconds": rng.lognormal(-3, 0.5, count),
    }
    return Item(second, "requests", "bench", make_batch("requests", "bench", columns))


def _notifications(channels: Sequence[ChannelParams], log: Path | None, **options: float) -> Notifications:
    params = NotifyParams(channels=tuple(channels), **options)  # type: ignore[arg-type]
    return Notifications(params, [make_notifier(channel) for channel in channels], NotificationLog(log))


# -- what a flood costs


def flood(log: Path) -> dict[str, float]:
    """10,000 alerts within a minute of the stream, to a channel that is dead and to one that is alive."""
    with receiving() as receiver, dead_ports() as (refusing, _):
        channels = [WebhookParams(url=receiver.url, name="alive"), WebhookParams(url=refusing, name="dead")]
        tracemalloc.start()
        sink = _notifications(channels, log)
        before, _ = tracemalloc.get_traced_memory()
        began = time.perf_counter()
        for second in range(FLOOD_SECONDS):
            now_ns = START_NS + second * NS_PER_SECOND
            first = FLOOD * second // FLOOD_SECONDS
            last = FLOOD * (second + 1) // FLOOD_SECONDS
            sink.write(_step([_alert(number, now_ns) for number in range(first, last)]))
            sink.write(Step(Item(second, "control", CLOCK_SOURCE, _beat(now_ns + NS_PER_SECOND))))
            time.sleep(0.5)
        with receiver.changed:
            receiver.changed.wait_for(lambda: _counted(receiver) >= FLOOD, 120)
        seconds = time.perf_counter() - began
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        held = sum(row["state"] != "sent" for row in sink.rows())
        sink.close()
        return {
            "alerts": FLOOD,
            "messages": len(receiver.came),
            "alerts in them": _counted(receiver),
            "held for the dead channel": held,
            "MB": (most - before) / 1e6,
            "seconds": seconds,
        }


def _counted(receiver: Receiver) -> int:
    return sum(len(payload["alerts"]) for _, payload in receiver.came)  # type: ignore[arg-type]


def _step(changes: list[AlertChange]) -> Step:
    return Step(Item(0, "requests", "bench", None), changes=changes)  # type: ignore[arg-type]


def _alert(number: int, time_ns: int) -> AlertChange:
    return AlertChange(
        time_ns=time_ns,
        state="firing",
        labels={"alertname": "http_5xx", "severity": "error", "target": f"https://api.example.org/{number}"},
        fingerprint=f"{number:016x}",
        pending_at_ns=time_ns,
        starts_at_ns=time_ns,
        summary=f"api.example.org/{number}: 3 consecutive 5xx responses (502, 500, 502)",
    )


def main() -> None:
    """Print the tables."""
    import os

    logging.disable(logging.CRITICAL)  # two channels are dead on purpose
    os.environ["NOTIFY_SPEED_KEY"] = "not-a-key"
    waits = sorted(seconds_to_message(EPISODES))
    print("| from the row to the receiver | n | median s | most s |\n| --- | --: | --: | --: |")
    print(f"| webhook on loopback | {len(waits)} | {statistics.median(waits):.2f} | {waits[-1]:.2f} |\n")
    with tempfile.TemporaryDirectory() as folder:
        alone, notified = [], []
        for number in range(ROUNDS):
            alone.append(tick_milliseconds(False, Path(folder) / f"a{number}"))
            notified.append(tick_milliseconds(True, Path(folder) / f"b{number}"))
        ratio = statistics.median(notified) / statistics.median(alone)
        print("| tick of 100 series | ms |\n| --- | --: |")
        print(f"| nobody is notified | {statistics.median(alone):.2f} |")
        print(f"| five channels, two of them dead | {statistics.median(notified):.2f} |\n| ratio | {ratio:.2f} |\n")
        found = flood(Path(folder) / "flood")
        print(f"| {' | '.join(found)} |\n|{' --: |' * len(found)}")
        print(f"| {' | '.join(f'{value:,.0f}' for value in found.values())} |")


if __name__ == "__main__":
    main()

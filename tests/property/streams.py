"""Random streams for property tests: several sources, disorder, gaps, bursts, new targets, nulls, commands."""

from __future__ import annotations

import json

import numpy as np

from aiops_nb.core.schemas import SELF_SOURCE, control_batch, make_batch, with_seq
from aiops_nb.core.types import NS_PER_SECOND, Item

START_NS = 1_780_000_000 * NS_PER_SECOND
PHASES = ("connect_seconds", "tls_seconds", "wait_seconds")


def web_batches(seed, source, targets, rate_hz, seconds, burst=(0.0, 0.0), gap=(0.0, 0.0)):
    """(time, batch) pairs of one source of requests."""
    rng = np.random.default_rng(seed)
    now = 0.0
    while now < seconds:
        width = rng.uniform(0.05, 0.6)
        now += width
        troubled = burst[0] < now < burst[1]
        rows = 0 if gap[0] < now < gap[1] else rng.poisson(rate_hz * width)
        if rows:
            yield now, requests_batch(rng, source, now, width, rows, targets, troubled, seconds)
        else:
            yield now, control_batch(source, "heartbeat", START_NS + int(now * 1e9) - NS_PER_SECOND)


def requests_batch(rng, source, now, width, rows, targets, troubled, seconds):
    disorder = np.where(rng.random(rows) < 0.1, rng.exponential(1.0, rows), 0)
    moments = now - width + np.sort(rng.uniform(0, width, rows)) - disorder
    born = 1 + int(targets * min(1.0, 2 * now / seconds))
    failed = rng.random(rows) < (0.3 if troubled else 0.01)
    phases = rng.lognormal(-5, 0.5, (3, rows)) * (9 if troubled else 1)
    status = np.where(rng.random(rows) < (0.5 if troubled else 0.01), 503, np.where(rng.random(rows) < 0.03, 404, 200))
    return make_batch(
        "requests",
        source,
        {
            "time": START_NS + np.rint(moments * 1e9).astype(np.int64),
            "origin": "traffic" if seconds % 2 else "probe",
            "target": [f"{source}/{i}" for i in rng.integers(0, born, rows)],
            "status_code": [None if bad else int(s) for bad, s in zip(failed, status, strict=True)],
            "error_type": ["timeout" if bad else None for bad in failed],
            "duration_seconds": rng.lognormal(-3, 0.5, rows) * (5 if troubled else 1),
            **{name: known_half(rng, part) for name, part in zip(PHASES, phases, strict=True)},
            "certificate_expires": known_half(rng, START_NS + np.rint(rng.exponential(9e14, rows)).astype(np.int64)),
        },
    )


def known_half(rng, values):
    """A column in which about half of the values are not known."""
    return [
        value if known else None for value, known in zip(values.tolist(), rng.random(len(values)) < 0.5, strict=True)
    ]


def host_batches(seed, seconds):
    """(time, batch) pairs of a host's samples, several of one series in a window, and of a counter with resets."""
    rng = np.random.default_rng(seed)
    names = {"target": ["h1", "h2"] * 6, "metric": ["cpu_ratio"] * 4 + ["x"] * 4 + ["jobs_total"] * 4}
    for second in range(int(seconds)):
        moments = START_NS + int((second + 0.3) * 1e9) - np.repeat([0, 0, 1], 4) * rng.integers(0, NS_PER_SECOND, 12)
        values = [*rng.lognormal(0, 3, 8), *(second % 23 * 10 + rng.integers(0, 10, 4))]
        yield float(second), make_batch("samples", "host", {**names, "time": moments, "value": values})


def log_batches(seed, seconds):
    """(time, batch) pairs of two programs' messages: templates that merge, new ones, bursts of errors."""
    rng = np.random.default_rng(seed)
    names = ["ann", "bob", "eve", "joe"]
    for second in range(int(seconds)):
        rows = int(rng.integers(5, 40))
        severity = rng.choice(["info", "error"], rows, p=[0.2, 0.8] if second % 40 > 25 else [0.95, 0.05]).tolist()
        texts = [f"took {rng.integers(0, 999)} ms for {rng.choice(names)}" for _ in range(rows)]
        texts[0] = (
            f"step {'abcdefghijklmnopqrstuvwxyz'[second % 26]} of {second} done" if second % 7 else "out of memory"
        )
        moments = START_NS + int((second + 0.4) * 1e9) - rng.integers(0, NS_PER_SECOND, rows)
        columns = {"time": moments, "target": rng.choice(["shop", "db"], rows).tolist()}
        yield float(second), make_batch("messages", "log", {**columns, "severity": severity, "text": texts})


def self_batches(seed, seconds):
    """(time, batch) pairs of what the monitor says of itself; rows of one batch may lie far from what is observed.

    Metrics appear over time, some of them first in a row that is not used.
    """
    rng = np.random.default_rng(seed)
    for second in range(0, int(seconds), 2):
        rows = int(rng.integers(1, 7))
        offsets = rng.choice([0.5, 0.5, 0.5, 0.5, -7200, 7200], rows)
        moments = [START_NS + int((second + offset) * 1e9) for offset in offsets]
        metrics = ["queue_batches", "late_total", *(f"metric_{number}" for number in range(second // 4))]
        columns = {"time": moments, "target": "monitor", "metric": rng.choice(metrics, rows).tolist()}
        yield float(second), make_batch("samples", SELF_SOURCE, {**columns, "value": rng.lognormal(0, 1, rows)})


def ending_batches(seed, seconds):
    """(time, batch) pairs of a source that ends now and then, and goes on in batches of many seconds."""
    rng = np.random.default_rng(seed)
    for second in range(3, int(seconds), 9):
        moments = START_NS + np.sort(rng.integers(int((second - 3) * 1e9), int(second * 1e9), 8))
        names = {"target": ["db"] * 8, "metric": [f"part_{at}" for at in rng.integers(0, 4, 8)]}
        yield float(second), make_batch("samples", "db", {**names, "time": moments, "value": rng.lognormal(0, 1, 8)})
        body = json.dumps({"type": "source_ended", "source": "db"})
        yield float(second) + 4.0, control_batch("clock", "command", START_NS + int(second * 1e9), body)


def clock_batches(seconds):
    """(time, batch) pairs of the recorded clock, and one command on the way."""
    for second in range(int(seconds) + 20):
        yield float(second), control_batch("clock", "heartbeat", START_NS + int(second * 1e9))
        if second == seconds // 2:
            body = json.dumps({"type": "set_threshold", "alertname": "latency_p95_anomaly", "threshold": 3.0})
            yield float(second), control_batch("clock", "command", START_NS + int(second * 1e9), body)


def random_stream(seed, seconds=90):
    """Items of a whole run in one order, with `seq`."""
    parts = [
        *web_batches(seed, "web1", 6, 40, seconds, burst=(seconds * 0.6, seconds * 0.8)),
        *web_batches(seed + 1, "web2", 40, 40, seconds, gap=(seconds * 0.3, seconds * 0.5)),
        *host_batches(seed + 2, seconds),
        *self_batches(seed + 4, seconds),
        *ending_batches(seed + 5, seconds),
        *clock_batches(seconds),
    ]
    jitter = np.random.default_rng(seed + 3).uniform(0, 0.5, len(parts))
    order = np.argsort([moment + j for (moment, _), j in zip(parts, jitter, strict=True)], kind="stable")
    return [item_of(seq, parts[i][1]) for seq, i in enumerate(order.tolist())]


def item_of(seq, batch):
    from aiops_nb.core.schemas import source_of, table_of

    return Item(seq, table_of(batch), source_of(batch), with_seq(batch, seq))

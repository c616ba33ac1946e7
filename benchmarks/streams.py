"""Seeded streams of JSON lines for the benchmarks: heavy-tailed latency, few errors, many targets."""

from __future__ import annotations

import json

import numpy as np

START_SECONDS = 1_780_000_000
ORDINARY_CLIENTS, CROWD = 2_000, 50_000


def events(
    targets: int, rows: int, rate_hz: float, seed: int = 7, clients: int = ORDINARY_CLIENTS
) -> list[dict[str, object]]:
    """Request events in the order of time, of so many clients."""
    rng = np.random.default_rng(seed)
    client = np.random.default_rng(seed + 1).integers(0, clients, rows)
    target = rng.integers(0, targets, rows)
    status = np.where(rng.random(rows) < 0.005, 503, 200)
    duration = rng.lognormal(-3, 0.5, rows)
    return [
        {
            "time": START_SECONDS + i / rate_hz,
            "target": f"https://api.example.org/v1/endpoint-{t}",
            "method": "GET",
            "status_code": int(s),
            "duration_seconds": round(float(d), 6),
            "client_ip": f"10.{c // 62_500}.{c // 250 % 250}.{c % 250}",
        }
        for i, (t, s, d, c) in enumerate(zip(target, status, duration, client.tolist(), strict=True))
    ]


def json_chunks(rows: list[dict[str, object]], batch_rows: int) -> list[bytes]:
    """The events as newline-delimited JSON, cut into chunks of so many lines."""
    lines = [json.dumps(row).encode() for row in rows]
    return [b"\n".join(lines[i : i + batch_rows]) + b"\n" for i in range(0, len(lines), batch_rows)]

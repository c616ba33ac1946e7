"""Random traffic of clients: regular ones, newcomers, floods, refusals, bursts, and texts that are no address."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND
from tests.property.streams import START_NS, item_of

ODD = [
    "",
    "-",
    "unknown",
    "crawler.example.org",
    "::1",
    "2001:db8::7",
    "2001:db8::8",
    "10.0.0.1:443",
    "x" * 300,
    "a\0b",
]


def client_stream(seed, seconds=90, rate_hz=60):
    """Items of one run, with heartbeats."""
    items = []
    for second, batch in client_batches(seed, seconds, rate_hz):
        items.append(item_of(len(items), batch))
        if second % 7 == 3:
            beat = control_batch("web", "heartbeat", START_NS + int(second - 1) * NS_PER_SECOND)
            items.append(item_of(len(items), beat))
    return items


def client_batches(seed, seconds, rate_hz=60):
    """(time, batch) pairs of one source; there is trouble in the second half."""
    rng = np.random.default_rng(seed)
    for second in range(seconds):
        columns = [regular(rng, rate_hz), probes(rng)]
        if second > seconds * 0.5:
            columns += [one_client(rng, seed), newcomers(rng, second)]
        yield float(second), make_batch("requests", "web", joined(rng, columns, second))


def regular(rng, rate_hz):
    rows = rng.poisson(rate_hz)
    names = [f"10.0.{i // 200}.{i % 200}" for i in np.minimum(rng.zipf(1.4, rows), 900)]
    odd = [ODD[i] for i in rng.integers(0, len(ODD), rows)]
    mixed = [o if luck < 0.1 else n for n, o, luck in zip(names, odd, rng.random(rows), strict=True)]
    return table(rng, [None if luck < 0.02 else name for name, luck in zip(mixed, rng.random(rows), strict=True)])


def probes(rng):
    return {**table(rng, ["10.9.9.9"] * 5), "origin": ["probe"] * 5}


def one_client(rng, seed):
    kind = ("flood", "refused", "burst")[seed % 3]
    rows = {"flood": 80, "refused": 10, "burst": 5}[kind]
    found = table(rng, ["203.0.113.7"] * rows, target="/login")
    if kind == "refused":
        found["status_code"] = [403] * rows
    if kind == "burst":
        found["offset"] = [0.5] * rows
    return found


def newcomers(rng, second):
    return table(rng, [f"198.{second}.{i >> 8 & 255}.{i & 255}" for i in range(rng.poisson(200))])


def table(rng, names, target=None):
    rows = len(names)
    return {
        "client_ip": names,
        "origin": ["traffic"] * rows,
        "target": [target or f"/p{i}" for i in rng.integers(0, 9, rows)],
        "status_code": rng.choice([200, 200, 200, 404, 503], rows).tolist(),
        "offset": rng.uniform(-0.7, 1, rows).tolist(),
    }


def joined(rng, columns, second):
    whole = {name: [value for part in columns for value in part[name]] for name in columns[0]}
    order = rng.permutation(len(whole["origin"]))
    whole = {name: [values[i] for i in order] for name, values in whole.items()}
    offsets = np.sort(np.array(whole.pop("offset")))
    return {"time": START_NS + np.rint((second + offsets) * 1e9).astype(np.int64), **whole}

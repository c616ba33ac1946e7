"""The compiled kernel and numpy give the same features, scores and alerts, to the bit, however the stream is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest

from aiops_nb import kernel
from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.core.schemas import with_seq
from aiops_nb.core.types import Item
from benchmarks.streams import events, json_chunks
from tests.property.client_streams import client_stream
from tests.property.digests import digest_of
from tests.property.streams import random_stream
from tests.property.test_any_cut import recut

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason=kernel.status())
# targets, rows, rows a second, rows a batch, clients
STREAMS = {
    "one target": (1, 6_000, 150.0, 1_000, 200),
    "small batches": (20, 4_000, 100.0, 50, 200),
    "many clients": (100, 16_000, 400.0, 2_000, 5_000),
    "many targets": (2_000, 16_000, 400.0, 1_000, 300),
}


@contextmanager
def numpy_only() -> Iterator[None]:
    compiled, kernel.compiled = kernel.compiled, None
    try:
        yield
    finally:
        kernel.compiled = compiled


def both(digest: Callable[[], object]) -> tuple[object, object]:
    with numpy_only():
        plain = digest()
    return digest(), plain


ODD_CLIENTS = ["host-1", "10.0.0.1:443", "010.0.0.1", "256.1.1.1", "1.2.3", "", "2001:db8::7", None]
SPELLS: list[tuple[float, float, str, list[object]]] = [
    (0.30, 0.40, "client_ip", ODD_CLIENTS),
    (0.50, 0.60, "duration_seconds", [0.5, 0.7, 2.0]),
    (0.60, 0.62, "duration_seconds", [0.0, 1e-9, 4e3, 1e300]),
    (0.70, 0.75, "status_code", [200, 500, 429, 404, 401, 403]),
    (0.80, 0.82, "duration_seconds", [None]),
    (0.85, 0.87, "error_type", ["timeout", "connect"]),
    (0.85, 0.87, "status_code", [None]),
    (0.90, 0.93, "client_ip", ["203.0.113.9"]),
]


def troubled(rows: list[dict[str, object]]) -> None:
    """Slow spells, statuses, failures, nulls, clients of all kinds, late rows: whatever a kernel may do otherwise."""
    rng = np.random.default_rng(3)
    for i, row in enumerate(rows):
        for first, last, name, values in SPELLS:
            if first < i / len(rows) < last:
                row[name] = values[rng.integers(len(values))]
        if 0.40 < i / len(rows) < 0.42:
            row["time"] -= float(rng.integers(0, 6))  # type: ignore[operator]


def of_json(chunks: list[bytes]) -> object:
    lines, seq = JsonLines("bench"), count()
    batches = (batch for chunk in chunks for batch in lines.feed(chunk))
    items = (Item(at, "requests", "bench", with_seq(batch, at)) for at, batch in zip(seq, batches, strict=False))
    digest, counted = digest_of(items)
    assert digest.tick_count > 30
    return digest.result(), digest.alert_count, counted


@pytest.mark.parametrize("name", STREAMS)
def test_lines_of_requests(name: str) -> None:
    targets, rows, rate_hz, batch_rows, clients = STREAMS[name]
    stream = events(targets, rows, rate_hz, clients=clients)
    troubled(stream)
    compiled, plain = both(lambda: of_json(json_chunks(stream, batch_rows)))
    assert compiled == plain


@pytest.mark.parametrize(("stream", "longest"), [(random_stream, 9), (client_stream, 200)])
def test_rows_of_other_sources_and_any_cut_of_them(stream: Callable[..., list[Item]], longest: int) -> None:
    items = stream(11, seconds=45)
    with numpy_only():
        plain, counted = digest_of(items)
    cut, counted_cut = digest_of(recut(items, 11, longest))
    assert cut.result() == plain.result()
    assert (cut.alert_count, counted_cut) == (plain.alert_count, counted)

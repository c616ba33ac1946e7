"""Scenes of the rules on the times of a source's rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND
from benchmarks.pictures.requests import SHOP, START_NS, Batches
from benchmarks.pictures.scene import Scene


def stepped(*, seconds: int, step: tuple[int, int, float]) -> Batches:
    """Ten requests a second as they come in live; from a second to another their clock is off by so many."""

    def batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(7)
        for second in range(seconds):
            count, off = int(rng.poisson(10.0)), step[2] if step[0] <= second < step[1] else 0.0
            moments = START_NS + second * NS_PER_SECOND + np.sort(rng.integers(0, NS_PER_SECOND, count))
            columns = {"origin": "traffic", "target": "shop", "status_code": np.full(count, 200, np.int16)}
            times = {"time": moments + round(off * NS_PER_SECOND), "duration_seconds": rng.lognormal(-3, 0.3, count)}
            now_ns = START_NS + (second + 1) * NS_PER_SECOND
            yield control_batch(CLOCK_SOURCE, "heartbeat", now_ns)
            if count:
                yield make_batch("requests", "web", columns | times)
            yield control_batch("web", "heartbeat", now_ns)

    return batches


SCENES = tuple(
    Scene(
        name=name,
        title=title,
        batches=stepped(seconds=400, step=(200, 290, off_seconds)),
        series=SHOP,
        unit="hz",
        alertname=name,
        feature=("requests", "rate_hz"),
        fault=(200, 290),
        after_seconds=60,
    )
    for name, title, off_seconds in (
        ("late_rows", "A web server's clock is 40 s behind for 90 s: requests that could be judged", -40.0),
        ("future_rows", "A web server's clock is 10 min ahead for 90 s: requests that could be judged", 600.0),
    )
)

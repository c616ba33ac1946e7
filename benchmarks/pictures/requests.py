"""Scenes of the rules on requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from aiops_nb.collect.synthetic import Fault, SyntheticStream
from aiops_nb.core.types import SeriesKey
from benchmarks.pictures.scene import Scene

SHOP = SeriesKey("shop", origin="traffic")


def traffic(*faults: Fault, seconds: int = 300, **options: object) -> Callable[[], Iterator[pa.RecordBatch]]:
    """Requests to four services, as fast as they are asked for."""

    def batches() -> Iterator[pa.RecordBatch]:
        stream = SyntheticStream(
            seed=7,
            targets=("shop", "search", "cart", "login"),
            duration_seconds=seconds,
            faults=faults,
            start_ns=1_780_000_000_000_000_000,
            **options,  # type: ignore[arg-type]
        )
        return iter(lambda: stream.poll(0), None)

    return batches


SCENES = (
    Scene(
        name="latency_p95_anomaly",
        title="One service answers three times slower for 40 s: p95 latency",
        batches=traffic(Fault(kind="latency_shift", start_seconds=180, length_seconds=40, size=3, target="shop")),
        series=SHOP,
        unit="seconds",
        alertname="latency_p95_anomaly",
        fault=(180, 220),
    ),
)

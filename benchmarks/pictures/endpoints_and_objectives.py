"""Scenes of the rules on single endpoints, on objectives over hours and days, and of a certificate weeks ahead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from benchmarks.pictures.requests import ALL, PROBED, SHOP, START_NS, Batches, probes, ready, traffic
from benchmarks.pictures.scene import Scene

HOUR = 3600
DAYS = 24 * HOUR


def errors_for_hours(*, seconds: int, bad: tuple[int, int, float], interval_seconds: int, rows: int = 20) -> Batches:
    """So many requests a window, evenly; from a second to another a share of them is answered 503."""

    def batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(3)
        steps = (np.arange(rows) + 0.5) * interval_seconds / rows
        for begin in range(0, seconds, interval_seconds):
            ratio = bad[2] if bad[0] <= begin < bad[1] else 0.0001
            columns = {
                "time": START_NS + np.rint((begin + steps) * NS_PER_SECOND).astype(np.int64),
                "origin": "traffic",
                "target": "shop",
                "status_code": np.where(rng.random(rows) < ratio, 503, 200),
                "duration_seconds": rng.lognormal(-3, 0.3, rows),
            }
            yield make_batch("requests", "web", columns)

    return batches


def _objective(name: str, title: str, seconds: int, bad: tuple[int, int, float], interval_seconds: int) -> Scene:
    window = {"tick_seconds": float(interval_seconds), "span_ticks": 6, "lateness_seconds": 0.0}
    return Scene(
        name=name,
        title=title,
        batches=errors_for_hours(seconds=seconds, bad=bad, interval_seconds=interval_seconds),
        series=ALL,
        unit="ratio",
        alertname=name,
        params=ready(name, **window),
        fault=bad[:2],
    )


SCENES = (
    Scene(
        name="endpoint_surge",
        title="Three times the requests of one endpoint for 90 s: its request rate",
        batches=traffic(seconds=480, rates=((300, 390, 3.0),)),
        series=SHOP,
        unit="hz",
        alertname="endpoint_surge",
        params=ready("endpoint_surge"),
        fault=(300, 390),
        after_seconds=60,
    ),
    Scene(
        name="endpoint_drop",
        title="Four fifths of the requests of one endpoint stay away for 90 s: its request rate",
        batches=traffic(seconds=480, rates=((300, 390, 0.2),)),
        series=SHOP,
        unit="hz",
        alertname="endpoint_drop",
        params=ready("endpoint_drop"),
        fault=(300, 390),
        after_seconds=60,
    ),
    Scene(
        name="endpoint_silence",
        title="No request of one endpoint for 70 s: its seconds of silence",
        batches=traffic(seconds=480, rates=((360, 430, 0.0),), rate_hz=1.0),
        series=SHOP,
        unit="seconds",
        alertname="endpoint_silence",
        params=ready("endpoint_silence"),
        fault=(360, 430),
        after_seconds=60,
    ),
    Scene(
        name="certificate_ends_soon",
        title="A certificate that is valid for 14.1 days, renewed late",
        batches=probes(seconds=36_000, interval_seconds=60, expires_days=(14.1, 15.2)),
        series=PROBED,
        unit="seconds",
        alertname="certificate_ends_soon",
        params=PipelineParams(window=WindowParams(tick_seconds=60)),
        fault=(8640, 28_800),
    ),
    _objective(
        "slo_burn_6h",
        "Objective 99.9 %, 1.5 % of the answers fail for 4 hours: error ratio of six hours",
        14 * HOUR,
        (7 * HOUR, 11 * HOUR, 0.015),
        60,
    ),
    _objective(
        "slo_burn_1d",
        "Objective 99.9 %, 0.8 % of the answers fail for 14 hours: error ratio of a day",
        2 * DAYS,
        (25 * HOUR, 39 * HOUR, 0.008),
        300,
    ),
    _objective(
        "slo_burn_3d",
        "Objective 99.9 %, 0.3 % of the answers fail for two days: error ratio of three days",
        6 * DAYS,
        (76 * HOUR, 124 * HOUR, 0.003),
        900,
    ),
)

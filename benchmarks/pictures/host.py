"""Scenes of the rules on hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, SeriesKey
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from benchmarks.pictures.scene import Scene

START_NS = 1_780_000_000 * NS_PER_SECOND
HOST = "web-1"
SLOWLY = PipelineParams(window=WindowParams(tick_seconds=10.0, lateness_seconds=10.0))


def samples(metric: str, values: FloatArray, interval_seconds: int = 1) -> Callable[[], Iterator[pa.RecordBatch]]:
    """Values of one metric of one host, as one batch."""

    def batches() -> Iterator[pa.RecordBatch]:
        times = START_NS + np.arange(len(values)) * interval_seconds * NS_PER_SECOND
        yield make_batch("samples", "host", {"time": times, "target": HOST, "metric": metric, "value": values})

    return batches


def busy(level: float, seconds: int, seed: int, spread: float = 0.08) -> FloatArray:
    """A processor that is busy about so much."""
    noise = np.random.default_rng(seed).normal(0, spread, seconds)
    return np.clip(level + noise, 0.0, 1.0)


def during(baseline: FloatArray, begin: int, end: int, added: float) -> FloatArray:
    """The same with so much more from `begin` to `end`."""
    raised = baseline.copy()
    raised[begin:end] += added
    return np.clip(raised, 0.0, 1.0)


def climbing(start: float, steps: int, flat_steps: int, rise: float) -> FloatArray:
    """Level for a while, then growing, with the small ups and downs of a process at work."""
    noise = np.random.default_rng(5).normal(0, 0.004, flat_steps + steps)
    return start + np.concatenate([np.zeros(flat_steps), np.arange(steps) * rise]) + noise


SWAPPED = np.abs(np.random.default_rng(9).normal(0, 2e5, 300))
SWAPPED[100:200] += np.random.default_rng(10).uniform(1.5e7, 6e7, 100)

BUSY = busy(0.3, 640, 11)


def gone() -> Iterator[pa.RecordBatch]:
    """Two hosts, one of which says nothing for two minutes."""
    seconds = np.repeat(np.arange(len(BUSY)), 2)
    hosts = np.tile([HOST, "web-2"], len(BUSY))
    there = (hosts != HOST) | (seconds < 420) | (seconds >= 540)
    columns = {
        "time": START_NS + seconds[there] * NS_PER_SECOND,
        "target": hosts[there].tolist(),
        "metric": "cpu_ratio",
        "value": BUSY[seconds[there]],
    }
    yield make_batch("samples", "host", columns)


SCENES = (
    Scene(
        name="cpu_spike",
        title="45 points more than it usually gets, for 2 min: share of the processor's time",
        batches=samples("cpu_ratio", during(busy(0.25, 700, 1), 450, 570, 0.45)),
        series=SeriesKey(HOST, metric="cpu_ratio"),
        unit="ratio",
        alertname="cpu_spike",
        fault=(450, 570),
        after_seconds=240,
    ),
    Scene(
        name="cpu_saturation",
        title="No time left for 100 s: share of the processor's time",
        batches=samples("cpu_ratio", np.concatenate([busy(0.7, 100, 2), np.full(100, 1.0), busy(0.7, 110, 3)])),
        series=SeriesKey(HOST, metric="cpu_ratio"),
        unit="ratio",
        alertname="cpu_saturation",
        fault=(100, 200),
    ),
    Scene(
        name="cpu_system_share",
        title="The kernel takes most of the work for 150 s: its share of the busy time",
        batches=samples("cpu_system_share_ratio", during(busy(0.2, 760, 4, 0.06), 450, 600, 0.5)),
        series=SeriesKey(HOST, metric="cpu_system_share_ratio"),
        unit="ratio",
        alertname="cpu_system_share",
        fault=(450, 600),
        after_seconds=240,
    ),
    Scene(
        name="cpu_iowait",
        title="Waiting for the disk for 110 s: share of the processor's time",
        batches=samples("cpu_iowait_ratio", during(np.abs(busy(0.02, 330, 5, 0.03)), 100, 210, 0.6)),
        series=SeriesKey(HOST, metric="cpu_iowait_ratio"),
        unit="ratio",
        alertname="cpu_iowait",
        fault=(100, 210),
    ),
    Scene(
        name="memory_leak",
        title="Memory leaks after 50 min: share of the memory in use",
        batches=samples("memory_ratio", climbing(0.4, 300, 300, 0.0015), 10),
        series=SeriesKey(HOST, metric="memory_ratio"),
        unit="ratio",
        alertname="memory_leak",
        params=SLOWLY,
        fault=(3000, 6000),
    ),
    Scene(
        name="memory_nearly_full",
        title="Memory runs out: share of the memory in use",
        batches=samples(
            "memory_ratio", np.concatenate([np.linspace(0.8, 0.98, 90), np.full(60, 0.98), np.full(70, 0.6)])
        ),
        series=SeriesKey(HOST, metric="memory_ratio"),
        unit="ratio",
        alertname="memory_nearly_full",
        fault=(75, 150),
    ),
    Scene(
        name="swapping",
        title="The working set does not fit for 100 s: bytes a second read back from swap",
        batches=samples("swap_in_bytes_per_second", SWAPPED),
        series=SeriesKey(HOST, metric="swap_in_bytes_per_second"),
        unit="other",
        alertname="swapping",
        fault=(100, 200),
    ),
    Scene(
        name="disk_filling",
        title="A log fills the disk: share of the disk in use",
        batches=samples("disk_ratio", climbing(0.6, 600, 200, 0.0006).round(3), 10),
        series=SeriesKey(HOST, metric="disk_ratio"),
        unit="ratio",
        alertname="disk_filling",
        params=SLOWLY,
        fault=(2000, 8000),
    ),
    Scene(
        name="disk_nearly_full",
        title="The disk is nearly full until it is cleaned: share of the disk in use",
        batches=samples(
            "disk_ratio", np.concatenate([np.linspace(0.92, 0.97, 150), np.full(80, 0.97), np.full(80, 0.7)])
        ),
        series=SeriesKey(HOST, metric="disk_ratio"),
        unit="ratio",
        alertname="disk_nearly_full",
        fault=(90, 230),
    ),
    Scene(
        name="host_silence",
        title="One of two hosts sends no samples for 2 min: seconds of its silence",
        batches=gone,
        series=SeriesKey(HOST, metric="cpu_ratio"),
        unit="seconds",
        alertname="host_silence",
        fault=(420, 540),
        after_seconds=330,
    ),
)

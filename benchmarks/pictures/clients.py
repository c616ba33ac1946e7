"""Scenes of the rules on clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, IntArray, SeriesKey
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.clients.params import ClientParams
from benchmarks.pictures.scene import Scene

START_NS = 1_780_000_000 * NS_PER_SECOND
SECONDS, FROM, UNTIL = 420, 300, 360
ATTACKER, EVERYBODY = SeriesKey("", client="203.0.113.7"), SeriesKey("", client="__all__")
PARAMS = PipelineParams(clients=ClientParams(top_clients=1000))
More = Callable[[np.random.Generator, int], tuple[list[str], list[str], int, IntArray]]
"""Clients, targets, the status of all, and moments in ns within the second."""


def moments(rng: np.random.Generator, rows: int) -> IntArray:
    """Anywhere in the second."""
    return rng.integers(0, NS_PER_SECOND, rows)


def flood(rng: np.random.Generator, second: int) -> tuple[list[str], list[str], int, IntArray]:
    """One client asks for everything, 40 times a second."""
    return ["203.0.113.7"] * 40, [f"/page{i}" for i in rng.integers(0, 20, 40)], 200, moments(rng, 40)


def endpoint(rng: np.random.Generator, second: int) -> tuple[list[str], list[str], int, IntArray]:
    """One client asks for one thing, 8 times a second."""
    return ["203.0.113.7"] * 8, ["/search"] * 8, 200, moments(rng, 8)


def burst(rng: np.random.Generator, second: int) -> tuple[list[str], list[str], int, IntArray]:
    """Six requests every two seconds, on the dot."""
    rows = 6 if second % 2 == 0 else 0
    return ["203.0.113.7"] * rows, ["/price"] * rows, 200, 10_000_000 * np.arange(rows)


def refused(rng: np.random.Generator, second: int) -> tuple[list[str], list[str], int, IntArray]:
    """Two passwords a second."""
    return ["203.0.113.7"] * 2, ["/login"] * 2, 401, moments(rng, 2)


def newcomers(rng: np.random.Generator, second: int) -> tuple[list[str], list[str], int, IntArray]:
    """A hundred and fifty requests a second, by which client nobody has seen before."""
    names = [f"198.51.{a}.{b}" for a, b in rng.integers(0, 256, (150, 2)).tolist()]
    return names, [f"/page{i}" for i in rng.integers(0, 20, 150)], 200, moments(rng, 150)


def visits(more: More) -> Callable[[], Iterator[pa.RecordBatch]]:
    """Forty requests a second by some hundred visitors, a few of them busy; and more for a minute."""

    def batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(7)
        for second in range(SECONDS):
            yield _second(rng, second, more)

    return batches


def _second(rng: np.random.Generator, second: int, more: More) -> pa.RecordBatch:
    visitors = np.minimum(rng.zipf(1.5, 40), 400)
    names = [f"10.0.{i // 200}.{i % 200}" for i in visitors.tolist()] + ["203.0.113.7"] * (second % 30 == 0)
    targets, status = [f"/page{i}" for i in rng.integers(0, 20, len(names))], [200] * len(names)
    time = moments(rng, len(names))
    if FROM <= second < UNTIL:
        whose, what, code, when = more(rng, second)
        names, targets, status = names + whose, targets + what, status + [code] * len(whose)
        time = np.append(time, when)
    order = np.argsort(time, kind="stable")
    columns = {"client_ip": names, "target": targets, "status_code": status}
    sorted_columns = {name: [values[i] for i in order.tolist()] for name, values in columns.items()}
    time_ns = START_NS + second * NS_PER_SECOND + time[order]
    return make_batch("requests", "web", {"time": time_ns, "origin": "traffic", **sorted_columns})


def _scene(alertname: str, title: str, more: More, feature: str, unit: str, series: SeriesKey = ATTACKER) -> Scene:
    return Scene(
        name=alertname,
        title=title,
        batches=visits(more),
        series=series,
        unit=unit,
        alertname=alertname,
        feature=("clients", feature),
        params=PARAMS,
        fault=(FROM, UNTIL),
        after_seconds=200,
    )


SCENES = (
    _scene("client_flood", "One client makes 40 requests a second for a minute: its rate", flood, "rate_hz", "hz"),
    _scene("endpoint_attack", "One client hammers /search for a minute: its rate", endpoint, "rate_hz", "hz"),
    _scene(
        "client_burst",
        "Six requests every two seconds for a minute: variation of the interval",
        burst,
        "period_variation_ratio",
        "ratio",
    ),
    _scene(
        "client_refused", "Two passwords a second are tried: share of its refusals", refused, "refused_ratio", "ratio"
    ),
    _scene(
        "distributed_flood",
        "Strangers ask for everything for a minute: share of new clients",
        newcomers,
        "new_ratio",
        "ratio",
        EVERYBODY,
    ),
)

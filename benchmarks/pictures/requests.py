"""Scenes of the rules on requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, SeriesKey
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.row.params import DEFAULT_ROW_RULES
from benchmarks.pictures.scene import Scene

START_NS = 1_780_000_020 * NS_PER_SECOND
DAY_SECONDS = 86_400.0
SHOP, ALL = SeriesKey("shop", origin="traffic"), SeriesKey("*", origin="traffic")
PROBED = SeriesKey("https://shop.example/", origin="probe")
BASELINE_PHASES = {"resolve": 0.002, "connect": 0.008, "tls": 0.012, "wait": 0.035, "transfer": 0.003}
Batches = Callable[[], Iterator[pa.RecordBatch]]


def ready(*names: str, **window: float) -> PipelineParams:
    """Only these ready rules, with such windows."""
    rules = tuple(AVAILABLE_RULES[name] for name in names)
    return PipelineParams(row_rules=(), feature_rules=rules, window=WindowParams(**window))


def traffic(
    *,
    seconds: int = 300,
    rate_hz: float = 10.0,
    rates: tuple[tuple[int, int, float], ...] = (),
    slow: tuple[int, int, float] = (0, 0, 1.0),
    bad: tuple[int, int, float] = (0, 0, 0.0),
    status: int = 503,
    targets: tuple[str, ...] = ("shop",),
    everywhere: bool = False,
) -> Batches:
    """Requests of others; `slow` and `bad` are of the first target or `everywhere`, from a second to another."""

    def batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(11)
        for second in range(seconds):
            rate = next((factor for first, last, factor in rates if first <= second < last), 1.0) * rate_hz
            count = int(rng.poisson(rate))
            target = rng.integers(0, len(targets), count)
            moments = START_NS + second * NS_PER_SECOND + np.sort(rng.integers(0, NS_PER_SECOND, count))
            mine = (target == 0) | everywhere
            factor = np.where(mine & (slow[0] <= second < slow[1]), slow[2], 1.0)
            fails = mine & (bad[0] <= second < bad[1]) & (rng.random(count) < bad[2])
            fails |= rng.random(count) < 0.002
            if count:
                yield make_batch(
                    "requests",
                    "web",
                    {
                        "time": moments,
                        "origin": "traffic",
                        "target": [targets[place] for place in target],
                        "status_code": np.where(fails, status, 200),
                        "duration_seconds": rng.lognormal(-3, 0.3, count) * factor,
                    },
                )
            else:
                yield control_batch("web", "heartbeat", START_NS + (second + 1) * NS_PER_SECOND)

    return batches


def probes(
    *,
    seconds: int = 300,
    slow_phase: str = "",
    bad: tuple[int, int] = (0, 0),
    error_type: str | None = None,
    expires_days: tuple[float, float] | None = None,
    status: int = 200,
    interval_seconds: float = 1.0,
) -> Batches:
    """Probes of one target; in the seconds `bad` a phase takes four times as long, or the answer is bad."""

    def batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(5)
        count = int(seconds / interval_seconds)
        at = np.arange(count) * interval_seconds + 0.4
        wrong = (at >= bad[0]) & (at < bad[1])
        phases = {name: _phase(rng, baseline, wrong, slow_phase == name) for name, baseline in BASELINE_PHASES.items()}
        columns = {f"{name}_seconds": values for name, values in phases.items()}
        if expires_days is not None:
            renewed = at > seconds * 0.8
            ends = np.where(renewed, expires_days[1], expires_days[0]) * DAY_SECONDS * 1e9
            columns["certificate_expires"] = (START_NS + ends).astype(np.int64)
        yield make_batch(
            "requests",
            "probe",
            {
                "time": START_NS + np.rint(at * 1e9).astype(np.int64),
                "origin": "probe",
                "target": [PROBED.target] * count,
                "status_code": [None if one and error_type else status if one else 200 for one in wrong],
                "error_type": [error_type if one else None for one in wrong],
                "duration_seconds": sum(phases.values()),
                **columns,
            },
        )

    return batches


def _phase(rng: np.random.Generator, baseline: float, wrong: FloatArray, slow: bool) -> FloatArray:
    values: FloatArray = baseline * rng.lognormal(0, 0.15, len(wrong)) * np.where(wrong & slow, 9.0, 1.0)
    return values


def _answers(name: str, title: str, feature: str, status: int, error_type: str | None = None) -> Scene:
    return Scene(
        name=name,
        title=title,
        batches=probes(bad=(150, 190), status=status, error_type=error_type),
        series=PROBED,
        unit="ratio",
        feature=("requests", feature),
        alertname=name,
        params=PipelineParams(feature_rules=(), row_rules=DEFAULT_ROW_RULES),
        fault=(150, 190),
    )


SIX = ("shop", "search", "cart", "login", "blog", "help")
PAGES = tuple(f"page-{number}" for number in range(600))
SCENES = (
    Scene(
        name="latency_p95_anomaly",
        title="A TLS handshake takes nine times as long for 40 s: p95 latency of a probed page",
        batches=probes(slow_phase="tls", bad=(180, 220)),
        series=PROBED,
        unit="seconds",
        alertname="latency_p95_anomaly",
        fault=(180, 220),
    ),
    Scene(
        name="latency_mean_anomaly",
        title="One service answers 2.5 times slower for 60 s: mean latency",
        batches=traffic(slow=(180, 240, 2.5), seconds=360),
        series=SHOP,
        unit="seconds",
        alertname="latency_mean_anomaly",
        params=ready("latency_mean_anomaly"),
        fault=(180, 240),
    ),
    Scene(
        name="latency_p99_anomaly",
        title="One service answers four times slower for 60 s: p99 latency",
        batches=traffic(slow=(180, 240, 4.0), seconds=360, rate_hz=30),
        series=SHOP,
        unit="seconds",
        alertname="latency_p99_anomaly",
        params=ready("latency_p99_anomaly"),
        fault=(180, 240),
    ),
    Scene(
        name="latency_siblings",
        title="One of six endpoints answers three times slower for 60 s: mean latency of that one",
        batches=traffic(slow=(180, 240, 3.0), seconds=360, rate_hz=30, targets=SIX),
        series=SHOP,
        unit="seconds",
        alertname="latency_siblings",
        params=ready("latency_siblings"),
        fault=(180, 240),
    ),
    _answers("http_5xx", "Probes are answered 503 for 40 s: share of 5xx in 60 s", "status_5xx_ratio", 503),
    _answers("http_4xx", "A page is gone for 40 s (404): share of 4xx in the last 60 s", "status_4xx_ratio", 404),
    _answers("http_429", "Too many requests (429) for 40 s: share of 429 in the last 60 s", "status_429_ratio", 429),
    _answers("request_failed", "Every connection is refused for 40 s: share of failures", "failed_ratio", 0, "connect"),
    Scene(
        name="error_ratio_anomaly",
        title="A fifth of a service's answers are 503 for 60 s: its error ratio",
        batches=traffic(bad=(180, 240, 0.2), seconds=360),
        series=SHOP,
        unit="ratio",
        alertname="error_ratio_anomaly",
        fault=(180, 240),
    ),
    Scene(
        name="error_ratio_overall",
        title="Every seventh answer is 503 for 90 s, spread over 600 pages: error ratio of all together",
        batches=traffic(bad=(180, 270, 0.15), seconds=390, rate_hz=30, targets=PAGES, everywhere=True),
        series=ALL,
        unit="ratio",
        alertname="error_ratio_overall",
        fault=(180, 270),
    ),
    Scene(
        name="error_ratio_siblings",
        title="A third of the answers of one of six endpoints are 503 for 60 s: error ratio of that one",
        batches=traffic(bad=(180, 240, 0.33), seconds=360, rate_hz=30, targets=SIX),
        series=SHOP,
        unit="ratio",
        alertname="error_ratio_siblings",
        params=ready("error_ratio_siblings"),
        fault=(180, 240),
    ),
    Scene(
        name="traffic_surge",
        title="Three times the requests for 90 s: request rate of all targets",
        batches=traffic(seconds=480, rates=((300, 390, 3.0),)),
        series=ALL,
        unit="hz",
        alertname="traffic_surge",
        fault=(300, 390),
        after_seconds=60,
    ),
    Scene(
        name="traffic_drop",
        title="Four fifths of the requests stay away for 90 s: request rate of all targets",
        batches=traffic(seconds=480, rates=((300, 390, 0.2),)),
        series=ALL,
        unit="hz",
        alertname="traffic_drop",
        fault=(300, 390),
        after_seconds=60,
    ),
    Scene(
        name="traffic_silence",
        title="No request at all for 70 s: seconds of silence",
        batches=traffic(seconds=480, rates=((360, 430, 0.0),), rate_hz=1.0),
        series=ALL,
        unit="seconds",
        alertname="traffic_silence",
        fault=(360, 430),
        after_seconds=60,
    ),
    Scene(
        name="certificate_ends",
        title="A certificate that is valid for 3.1 days, renewed late",
        batches=probes(seconds=36_000, interval_seconds=60, expires_days=(3.1, 4.2)),
        series=PROBED,
        unit="seconds",
        alertname="certificate_ends",
        params=PipelineParams(window=WindowParams(tick_seconds=60)),
        fault=(8640, 28_800),
    ),
    Scene(
        name="slo_burn_1h",
        title="Objective 99.9 %, 4 % of the answers fail for half an hour: error ratio of one hour",
        batches=traffic(seconds=10_800, rate_hz=2.0, bad=(6000, 7800, 0.04)),
        series=ALL,
        unit="ratio",
        alertname="slo_burn_1h",
        params=ready("slo_burn_1h", tick_seconds=10.0, span_ticks=6),
        fault=(6000, 7800),
    ),
)

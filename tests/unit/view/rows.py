"""Rows, steps and a source made by hand, for the view's tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from aiops_nb.core.protocols import Sink
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import (
    NS_PER_SECOND,
    AlertChange,
    FeatureTable,
    Item,
    ScoredFeature,
    Scores,
    SeriesKey,
    Step,
    Tick,
)

T0 = 1_780_000_000 * NS_PER_SECOND
NAMES = ("count", "rate_hz", "error_ratio", "duration_p95_seconds")


def request_step(times_ns: Sequence[int], targets: Sequence[str], seconds: Sequence[float], **columns: object) -> Step:
    """A step of requests without windows."""
    rows = {"time": times_ns, "target": targets, "origin": "probe", "duration_seconds": seconds, **columns}
    return Step(Item(0, "requests", "test", make_batch("requests", "test", rows)))  # type: ignore[arg-type]


def requests_tick(end_ns: int, targets: Sequence[str], p95: Sequence[float], count: float = 2.0) -> Tick:
    """A closed window; latencies over 1 s are anomalous."""
    n = len(targets)
    value = np.array(p95, np.float64)
    values = np.stack([np.full(n, count), np.full(n, count), np.zeros(n), value])
    table = FeatureTable("requests", end_ns, tuple(SeriesKey(t, origin="probe") for t in targets), NAMES, values)
    scores = Scores(score=value, expected=np.full(n, 0.1), lower=np.full(n, np.nan), upper=np.full(n, 0.2))
    latency = ScoredFeature("robust_z", "latency_p95_anomaly", NAMES[3], 5.0, table.series, value, scores, value > 1.0)
    return Tick(table, (latency,))


def host_tick(end_ns: int, hosts: Sequence[str], cpu: float, memory: float) -> Tick:
    """A closed window of host metrics, and one metric that no chart shows."""
    metrics = ("cpu_ratio", "memory_ratio", "load_1m")
    series = tuple(SeriesKey(host, metric=metric) for host in hosts for metric in metrics)
    values = np.array([[cpu, memory, 3.0] * len(hosts)])
    return Tick(FeatureTable("samples", end_ns, series, ("value",), values))


def heartbeat_step(time_ns: int, ticks: Sequence[Tick] = (), changes: Sequence[AlertChange] = ()) -> Step:
    """A heartbeat that closed windows."""
    columns = {"time": [time_ns], "kind": "heartbeat", "body": [""]}
    return Step(Item(0, "control", "test", make_batch("control", "test", columns)), list(ticks), list(changes))


def alert(state: str, target: str, at_ns: int = T0, *, summary: str = "", severity: str = "error") -> AlertChange:
    """One change of the http_5xx alert of a target."""
    labels = {
        "alertname": "http_5xx",
        "severity": severity,
        "target": target,
        "origin": "probe",
        "detector": "row_rule",
    }
    return AlertChange(
        time_ns=at_ns,
        state=state,  # type: ignore[arg-type]
        labels=labels,
        fingerprint=f"f-{target}",
        pending_at_ns=T0,
        starts_at_ns=T0,
        ends_at_ns=at_ns if state == "resolved" else None,
        summary=summary,
    )


class HandSource:
    """A source that a test drives: `deliver` gives a step to its sinks."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.running = True
        self.sinks: list[Sink] = []
        self.ended = False
        self.replays = False
        self.unused = pd.DataFrame(columns=["source", "reason", "detail", "line"], dtype="str")
        self.commands: list[dict[str, object]] = []
        self.said: list[str] = []
        self._steps = list(steps)

    def start(self) -> None:
        """Run."""
        self.running = True

    def stop(self) -> None:
        """Run no more."""
        self.running = False

    def add_sink(self, sink: Sink) -> None:
        """Deliver to it too."""
        self.sinks.append(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Deliver to it no more."""
        self.sinks.remove(sink)

    def command(self, command: dict[str, object], /) -> None:
        """Note it."""
        self.commands.append(command)

    def warnings(self) -> list[str]:
        """What the test said."""
        return self.said

    def rejected(self) -> pd.DataFrame:
        """What the test put there."""
        return self.unused

    def recent(self) -> list[Step]:
        """All steps."""
        return self._steps

    def deliver(self, step: Step) -> None:
        """Keep a step and give it to the sinks, as an engine does."""
        self._steps.append(step)
        for sink in self.sinks:
            sink.write(step)

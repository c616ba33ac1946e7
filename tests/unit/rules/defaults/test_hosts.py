"""Every default rule on a host: tiny streams, and the alerts that they must and must not make."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams

START_NS = 1_780_000_000 * NS_PER_SECOND


def changes_of(streams, interval_seconds=1):
    """Alert changes of the default rules by target, of streams {target: (metric, values)}; NaN is no sample.

    Their silence is left out, because the streams end one after the other.
    """
    window = WindowParams(tick_seconds=interval_seconds, lateness_seconds=interval_seconds)
    pipeline = Pipeline(PipelineParams(window=window, disable=("host_silence",)))
    columns = {"time": [], "target": [], "metric": [], "value": []}
    for target, (metric, values) in streams.items():
        known = np.flatnonzero(np.isfinite(values))
        columns["time"] += (START_NS + known * interval_seconds * NS_PER_SECOND).tolist()
        columns["target"] += [target] * len(known)
        columns["metric"] += [metric] * len(known)
        columns["value"] += np.asarray(values, float)[known].tolist()
    order = np.argsort(columns["time"], kind="stable").tolist()
    rows = {name: [column[row] for row in order] for name, column in columns.items()}
    steps = [pipeline.push(Item(0, "samples", "host", make_batch("samples", "host", rows)))]
    steps.append(pipeline.push(Item(1, "control", "x", control_batch("x", "command", 0, '{"type": "stop"}'))))
    told = [change for step in steps for change in step.changes if not change.inhibited_by]
    return {target: [change for change in told if change.labels["target"] == target] for target in streams}


def story(changes):
    """Name and second of each beginning and end, but not of those that end with the data or with the stream."""
    told = []
    for change in changes:
        if change.state in ("firing", "resolved") and change.outcome not in (
            "monitoring stopped",
            "no data for 15 min",
        ):
            second = round((change.time_ns - START_NS) / NS_PER_SECOND)
            told.append((change.labels["alertname"], change.state, second))
    return told


def flat(value, seconds):
    return [value] * seconds


def noisy(low, high, seconds, seed=0):
    return np.random.default_rng(seed).uniform(low, high, seconds).tolist()


def jumping(seconds, seed=0):
    """Idle or busy, a few seconds each."""
    return np.repeat(np.random.default_rng(seed).choice([0.02, 0.3, 1.0], seconds // 5 + 1), 5)[:seconds].tolist()


NAN = float("nan")
CPU = {
    "cpu_spike": (flat(0.2, 400) + flat(0.7, 120) + flat(0.2, 200), [("cpu_spike", 458, 588)]),
    "a spike that goes on is accepted": (flat(0.2, 400) + flat(0.7, 1200), [("cpu_spike", 458, 1068)]),
    "a spike soon after another": (
        (flat(0.2, 400) + flat(0.7, 120)) * 3 + flat(0.2, 100),
        [("cpu_spike", 458, 588), ("cpu_spike", 978, 1108), ("cpu_spike", 1498, 1628)],
    ),
    "saturated out of the blue": (flat(0.2, 400) + flat(1.0, 200) + flat(0.2, 100), [("cpu_saturation", 468, 668)]),
    "a spike to the top for less than a minute": (
        flat(0.2, 400) + flat(1.0, 55) + flat(0.2, 100),
        [("cpu_spike", 463, 523)],
    ),
    "a job of 45 s": (flat(0.2, 400) + flat(0.9, 45) + flat(0.2, 100), []),
    "saturation from the start": (flat(1.0, 100) + flat(0.5, 100), [("cpu_saturation", 75, 168)]),
    "saturation with a dip of a second": ([*flat(1.0, 50), 0.4, *flat(1.0, 40)], [("cpu_saturation", 75, None)]),
    "constant": (flat(0.3, 900), []),
    "idle": (flat(0.0, 900), []),
    "noisy": (noisy(0, 1, 1200), []),
    "jumping between idle and busy": (jumping(1800), []),
    "a short burst": (flat(0.05, 400) + flat(1.0, 25) + flat(0.05, 400), []),
    "a spike before it is known what is usual": (flat(0.2, 100) + flat(0.8, 55) + flat(0.2, 100), []),
    "less than 30 points more": (flat(0.2, 400) + flat(0.48, 300), []),
    "it gets as high every now and then": ((flat(0.1, 200) + flat(0.9, 40)) * 8, []),
    "nearly saturated": (flat(0.94, 600), []),
    "saturated for less than a minute": ((flat(1.0, 50) + flat(0.5, 60)) * 5, []),
    "saturated, every other sample missing": ([1.0, NAN] * 60, [("cpu_saturation", 89, None)]),
    "saturated, then a gap, then not": (flat(1.0, 80) + flat(NAN, 100) + flat(0.5, 90), [("cpu_saturation", 75, 248)]),
    "nothing known": (flat(NAN, 100), []),
}
SHARE = {
    "system share": (flat(0.2, 400) + flat(0.7, 150) + flat(0.2, 200), [("cpu_system_share", 468, 618)]),
    "always high": (flat(0.7, 900), []),
    "jumping": (jumping(1800), []),
}
IOWAIT = {
    "waiting for the disk": (flat(0.1, 50) + flat(0.6, 90) + flat(0.0, 100), [("cpu_iowait", 118, 208)]),
    "now and then": ((flat(0.0, 20) + flat(0.8, 20)) * 10, []),
}
FULL = {
    "memory nearly full": (flat(0.8, 20) + flat(0.97, 60) + flat(0.8, 60), [("memory_nearly_full", 51, 111)]),
    "between the limits it goes on": (
        flat(0.97, 50) + flat(0.93, 50) + flat(0.9, 40),
        [("memory_nearly_full", 31, 131)],
    ),
    "much used": (flat(0.94, 300), []),
}
SWAP = {
    "thrashing": (flat(0, 30) + flat(5e7, 100) + flat(0, 100), [("swapping", 98, 198)]),
    "a little": (flat(1e6, 300), []),
    "a burst": (flat(0, 50) + flat(1e9, 20) + flat(0, 50), []),
}
DISK = {
    "disk nearly full": (flat(0.97, 100) + flat(0.5, 90), [("disk_nearly_full", 61, 161)]),
    "well filled": (flat(0.94, 300), []),
}
TABLES = {
    "cpu_ratio": CPU,
    "cpu_system_share_ratio": SHARE,
    "cpu_iowait_ratio": IOWAIT,
    "memory_ratio": FULL,
    "swap_in_bytes_per_second": SWAP,
    "disk_ratio": DISK,
}


@cache
def changes_of_table(metric):
    return changes_of({name: (metric, values) for name, (values, _) in TABLES[metric].items()})


@pytest.mark.parametrize(("metric", "name"), [(metric, name) for metric, table in TABLES.items() for name in table])
def test_a_stream_makes_these_alerts(metric, name):
    expected = TABLES[metric][name][1]
    told = [(alert, "firing", begin) for alert, begin, _ in expected]
    told += [(alert, "resolved", end) for alert, _, end in expected if end is not None]
    assert story(changes_of_table(metric)[name]) == sorted(told, key=lambda one: one[2])


def climb(start, end, count):
    return np.linspace(start, end, count).tolist()


GROWTH = {
    "a leak": ("memory_ratio", 10, climb(0.5, 0.9, 240), [("memory_leak", 590, None)]),
    "a leak after an hour of peace": (
        "memory_ratio",
        10,
        flat(0.5, 360) + climb(0.5, 0.9, 240),
        [("memory_leak", 4290, None)],
    ),
    "a restart ends it": (
        "memory_ratio",
        10,
        climb(0.5, 0.9, 180) + flat(0.3, 180),
        [("memory_leak", 590, None), ("memory_leak", None, 2110)],
    ),
    "once a minute": ("memory_ratio", 60, climb(0.5, 0.9, 60), [("memory_leak", 2180, None)]),
    "with a gap": (
        "memory_ratio",
        10,
        [*climb(0.5, 0.7, 120), *flat(NAN, 60), *climb(0.8, 0.9, 60)],
        [("memory_leak", 590, None), ("no_data", None, 1810)],
    ),
    "an application starts": ("memory_ratio", 10, flat(0.4, 90) + climb(0.4, 0.7, 12) + flat(0.7, 300), []),
    "it comes and goes": ("memory_ratio", 10, (climb(0.4, 0.6, 30) + climb(0.6, 0.4, 30)) * 8, []),
    "slow, and far from full": ("memory_ratio", 60, climb(0.2, 0.25, 300), []),
    "a standing memory": ("memory_ratio", 10, flat(0.8, 900), []),
    "noise": ("memory_ratio", 10, noisy(0.6, 0.7, 900), []),
    "a disk fills": ("disk_ratio", 60, climb(0.6, 0.9, 120), [("disk_filling", 2840, None)]),
    "a disk is cleaned": ("disk_ratio", 60, climb(0.9, 0.3, 120), []),
    "one big file": ("disk_ratio", 60, flat(0.5, 90) + flat(0.8, 120), []),
}


@cache
def growth_changes(interval_seconds):
    mine = {name: (metric, values) for name, (metric, every, values, _) in GROWTH.items() if every == interval_seconds}
    return changes_of(mine, interval_seconds)


@pytest.mark.parametrize("name", GROWTH)
def test_growth_makes_these_alerts(name):
    _, interval_seconds, _, expected = GROWTH[name]
    told = [(alert, "firing", begin) for alert, begin, _ in expected if begin is not None]
    told += [(alert, "resolved", end) for alert, _, end in expected if end is not None]
    assert story(growth_changes(interval_seconds)[name]) == told


SENTENCES = {
    "memory_leak": "a leak: memory 59.7 % for 2 min, rising 60.3 points an hour, full in 40 min",
    "disk_filling": "a disk fills: disk 71.8 % for 2 min, rising 15.1 points an hour, full in 1.9 h",
    "cpu_spike": "cpu_spike: CPU 70 % for 50 s (expected 20 %, limit 50 %)",
    "cpu_saturation": "saturation from the start: CPU 100 % for 60 s (limit 95 %)",
    "memory_nearly_full": "memory nearly full: memory 97 % for 30 s (limit 95 %)",
    "swapping": "thrashing: swap-in 47.7 MiB/s for 60 s (limit 8 MiB/s)",
}


@pytest.mark.parametrize("alertname", SENTENCES)
def test_an_alert_says_it_in_the_units_of_its_metric(alertname):
    every = [growth_changes(10), growth_changes(60), *map(changes_of_table, TABLES)]
    told = [one.summary for changes in every for several in changes.values() for one in several]
    assert SENTENCES[alertname] in told


def test_a_sample_a_minute_is_judged_by_the_same_rules():
    told = changes_of({"full": ("cpu_ratio", flat(1.0, 20)), "noisy": ("cpu_ratio", noisy(0, 1, 90))}, 60)
    assert story(told["full"]) == [("cpu_saturation", "firing", 920)] and story(told["noisy"]) == []


def test_one_incident_is_one_alert():
    streams = {"memory": ("memory_ratio", climb(0.5, 1.0, 300)), "disk": ("disk_ratio", climb(0.9, 1.0, 700))}
    told = changes_of(streams, 10)
    assert [name for name, _, _ in story(told["memory"])] == ["memory_leak", "memory_nearly_full"]
    assert "disk_nearly_full" in {name for name, _, _ in story(told["disk"])}

"""The script of faults is drawn from the seed alone."""

from itertools import islice

import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.demo.script import FAULT_SECONDS, HEALTHY_SECONDS, KINDS, PATHS, DemoParams, faults, latencies

SEEDS = range(20)


def drawn(count=15, **params):
    return list(islice(faults(DemoParams(**params)), count))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_comes_once_in_every_round(seed):
    kinds = [fault.kind for fault in drawn(seed=seed)]
    assert [sorted(kinds[i : i + 5]) for i in (0, 5, 10)] == [sorted(KINDS)] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_service_is_healthy_first_and_between_faults(seed):
    first, *rest = drawn(seed=seed)
    assert first.healthy_seconds == 60
    assert all(HEALTHY_SECONDS[0] <= fault.healthy_seconds <= HEALTHY_SECONDS[1] for fault in rest)
    assert all(FAULT_SECONDS[0] <= fault.duration_seconds <= FAULT_SECONDS[1] for fault in [first, *rest])


def test_a_seed_gives_the_same_script_and_another_seed_another():
    assert drawn(seed=3) == drawn(seed=3)
    assert drawn(seed=3) != drawn(seed=4)
    assert latencies(3) == latencies(3) != latencies(4)


def test_time_scale_divides_every_time_and_changes_nothing_else():
    plain, fast = drawn(seed=1), drawn(seed=1, time_scale=10.0)
    assert [(f.kind, f.path) for f in plain] == [(f.kind, f.path) for f in fast]
    assert [f.duration_seconds for f in fast] == pytest.approx([f.duration_seconds / 10 for f in plain])
    assert [f.healthy_seconds for f in fast] == pytest.approx([f.healthy_seconds / 10 for f in plain])


@pytest.mark.parametrize("seed", SEEDS)
def test_healthy_latencies_lie_between_10_and_60_ms(seed):
    medians = {path: latency.median_seconds for path, latency in latencies(seed).items()}
    assert tuple(medians) == PATHS
    assert all(0.010 <= median <= 0.060 for median in medians.values())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"port": 70_000}, "port: expected 0 (any free one) to 65535, got 70000"),
        ({"time_scale": 0.0}, "time_scale: expected a number > 0, got 0.0"),
        ({"kinds": ("fire",)}, "kinds: expected some of slow, http_5xx"),
        ({"first_fault_after_seconds": -1.0}, "first_fault_after_seconds: expected a number >= 0, got -1.0"),
    ],
)
def test_a_wrong_parameter_is_named(params, message):
    with pytest.raises(ConfigError) as caught:
        DemoParams(**params)
    assert str(caught.value).startswith(message)

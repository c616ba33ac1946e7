"""Features, scores and alerts do not depend on how the stream was cut into batches."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiops_nb.core.types import Item
from aiops_nb.detect.kernels.default import DefaultParams
from aiops_nb.detect.kernels.ewma import EwmaParams
from aiops_nb.detect.kernels.faults import FaultsParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from aiops_nb.preprocess.params import EmaParams, HampelParams
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.feature.params import FeatureRuleParams
from tests.property.digests import digest_of
from tests.property.streams import random_stream

CLEAN = (HampelParams(), EmaParams())


def recut(items, seed, longest):
    """Join neighbours of one table and source, and cut them at random; control items stay as they are."""
    rng, held = random.Random(seed), []
    for item in items:
        if held and (item.table == "control" or (item.table, item.source) != (held[0].table, held[0].source)):
            yield from pieces(held, rng, longest)
            held = []
        if item.table == "control":
            yield item
        else:
            held.append(item)
    yield from pieces(held, rng, longest) if held else ()


def pieces(held, rng, longest):
    table = pa.Table.from_batches([item.batch for item in held]).unify_dictionaries().combine_chunks()
    at = 0
    while at < len(table):
        length = rng.randint(1, longest)
        batch = table.slice(at, length).combine_chunks().to_batches()[0]
        yield Item(batch.column("seq")[0].as_py(), held[0].table, held[0].source, batch)
        at += length


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), longest=st.sampled_from([1, 3, 7, 100, 5000]))
@example(seed=1345, longest=1)  # phases known of some rows only: an unknown mean must be the same NaN, bit by bit
def test_any_cut_gives_the_same_bytes(seed, longest):
    items = random_stream(seed, seconds=75 + seed % 2)
    whole, counted = digest_of(items)
    cut, counted_cut = digest_of(recut(items, seed, longest))
    assert whole.tick_count > 120 and whole.alert_count > 0
    assert (cut.result(), counted_cut) == (whole.result(), counted)


@pytest.mark.parametrize("seed", [4, 5])
def test_every_ready_rule_gives_the_same_bytes_for_another_cut(seed):
    window = WindowParams(objective_targets=("web1/0",), horizons_seconds=(20.0, 60.0))
    params = PipelineParams(enable=tuple(AVAILABLE_RULES), window=window)
    items = random_stream(seed, seconds=85 + seed % 2)
    whole, counted = digest_of(items, params)
    cut, counted_cut = digest_of(recut(items, seed, 7), params)
    plain, _ = digest_of(items)
    assert (cut.result(), counted_cut) == (whole.result(), counted)
    assert whole.scores.hexdigest() != plain.scores.hexdigest() and whole.tick_count > 300


def test_the_digest_sees_what_a_lost_burst_changes():
    items = random_stream(5, seconds=60)
    whole, _ = digest_of(items)
    burst = {i for i, item in enumerate(items) if item.source == "web1" and i > len(items) // 2}
    without, _ = digest_of([item for i, item in enumerate(items) if i not in burst])
    assert all(a != b for a, b in zip(whole.result(), without.result(), strict=True))


DETECTORS = (
    FaultsParams(direction="above"),
    DefaultParams(),
    EwmaParams(),
    CeilingParams(min_deviation=0.01, warmup_seconds=10.0),
    GrowthParams(windows_seconds=(24.0, 60.0)),
)


@pytest.mark.parametrize("detector", DETECTORS)
def test_any_detector_gives_the_same_bytes_for_another_cut(detector):
    rules = (
        FeatureRuleParams(alertname="latency", feature="duration_p95_seconds", threshold=40.0, detector=detector),
        FeatureRuleParams(
            alertname="host", table="samples", feature="value", threshold=40.0, detector=detector, preprocess=CLEAN
        ),
    )
    params = PipelineParams(feature_rules=rules)
    items = random_stream(3, seconds=90)
    whole, counted = digest_of(items, params)
    cut, counted_cut = digest_of(recut(items, 1, 100), params)
    plain, _ = digest_of(items)
    assert (cut.result(), counted_cut) == (whole.result(), counted)
    assert whole.scores.hexdigest() != plain.scores.hexdigest()

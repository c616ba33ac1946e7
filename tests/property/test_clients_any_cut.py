"""Clients, what is usual of them, and the alerts on them do not depend on how the stream is cut into batches."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.params import WindowParams
from tests.property.client_streams import client_stream
from tests.property.digests import digest_of
from tests.property.test_any_cut import recut

CROWDED = PipelineParams(
    window=WindowParams(span_ticks=15),
    clients=ClientParams(
        max_clients=64,
        followed_clients=4,
        known_cells=1 << 16,
        warmup_seconds=20,
        settle_seconds=60,
        new_seconds=3,
        known_seconds=20,
        accept_seconds=30,
    ),
)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), longest=st.sampled_from([1, 3, 7, 100, 5000]))
def test_any_cut_gives_the_same_bytes(seed, longest):
    items = client_stream(seed)
    whole, counted = digest_of(items, CROWDED)
    cut, counted_cut = digest_of(recut(items, seed, longest), CROWDED)
    assert whole.tick_count > 120 and whole.alert_count > 0
    assert (cut.result(), counted_cut) == (whole.result(), counted)


def test_the_streams_make_every_rule_fire():
    fired = Counter()
    for seed in range(3):
        pipeline = Pipeline(CROWDED)
        for item in client_stream(seed):
            changes = pipeline.push(item).changes
            fired.update(c.labels["alertname"] for c in changes if c.state == "firing")
    rules = {rule.alertname for rule in CROWDED.client_rules}
    assert rules - set(fired) <= {"client_burst"}

"""Many verdicts put into words together say what each says by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops_nb.core.types import ScoredFeature, Scores, SeriesKey
from aiops_nb.detect.season_history import History
from aiops_nb.rules.feature.background import Background
from aiops_nb.rules.feature.phases import PhaseBreakdown
from aiops_nb.rules.feature.reasons import RuleReasons
from aiops_nb.rules.feature.verdict_texts import wording_of, wordings_of

NUMBERS = st.one_of(
    st.floats(-10.0, 1e6), st.floats(), st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), 1e300, 5e-324])
)
FEATURES = ("duration_p95_seconds", "error_ratio", "rate_hz", "value", "slope_60s")
METRICS = ("", "cpu_ratio", "disk_read_bytes_per_second", "jobs_total", "100 %s {odd}")
PARTS = ("value", 'a "part" of 100 %', "Zeit", "change", "new value", "shape", "level", "seventh", "eighth")


def floats(*shape):
    return arrays(np.float64, shape, elements=NUMBERS)


@st.composite
def verdicts(draw):
    """One rule's verdicts at one tick, of which some say why."""
    count = draw(st.integers(1, 4))
    series = np.flatnonzero(draw(arrays(np.bool_, count)))
    keys = draw(st.lists(st.sampled_from(METRICS), min_size=count, max_size=count))
    parts = PARTS[: draw(st.sampled_from([0, 0, 2, 9]))]
    phases = draw(st.sampled_from([(), ("tls", "wait"), ("resolve", "connect", "tls", "wait", "transfer"), PARTS]))
    m = len(series)
    values = [draw(floats(len(phases), m)) for _ in range(2)] if phases else []
    breakdown = PhaseBreakdown(phases, *values)
    reasons = RuleReasons(
        series=series,
        features=draw(st.sampled_from([("value",), ("value", "rate_hz")])),
        shares={name: draw(floats(m)) for name in parts},
        phases=breakdown,
        background=draw(backgrounds(m)),
    )
    scores = Scores(*(draw(floats(count)) for _ in range(4)))
    scored = ScoredFeature(
        detector="d",
        alertname="a",
        feature=draw(st.sampled_from(FEATURES)),
        threshold=1.0,
        series=tuple(SeriesKey(f"host{at} 5%", metric=metric) for at, metric in enumerate(keys)),
        value=draw(floats(count)),
        scores=scores,
        is_anomaly=np.isin(np.arange(count), series),
        reasons=reasons,
    )
    return [(scored, reasons, number) for number in range(m)]


@st.composite
def backgrounds(draw, m):
    def whole(most):
        return draw(arrays(np.int64, m, elements=st.integers(0, most)))

    history = History(days=whole(30), weeks=whole(4), basis=whole(2)) if draw(st.booleans()) else None
    onset = whole(2_000_000_000) * 10**9 if draw(st.booleans()) else None
    details = tuple(f"rising {number}" for number in range(m)) if draw(st.booleans()) else ()
    return Background(history, onset, details)


class Foreign:
    """Reasons of somebody else."""

    series = np.arange(3)
    nbytes = 0

    def contributions(self, number):
        return {"mine": float(number)}

    def phase(self, number):
        return "wait" if number else ""

    def summary(self, scored, number):
        return f"{scored} {number}"


@settings(max_examples=150, deadline=None)
@given(st.lists(verdicts(), max_size=5), st.randoms(use_true_random=False))
@np.errstate(all="ignore")
def test_together_as_alone(ticks, random):
    whys = [why for tick in ticks for why in tick] + [("theirs", Foreign(), number) for number in range(3)]
    if random.random() < 0.5:
        random.shuffle(whys)
    kept = whys[: random.randrange(len(whys) + 1)]
    assert wordings_of(kept) == [wording_of(why) for why in kept]

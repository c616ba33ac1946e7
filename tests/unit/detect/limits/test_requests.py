"""Detectors that requests need: one against its siblings, silence, burn rate; tiny streams and what they score."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.limits.burn_rate import BurnRate, BurnRateParams
from aiops_nb.detect.limits.siblings import Siblings, SiblingsParams
from aiops_nb.detect.limits.silence import Silence, SilenceParams

NAN = float("nan")


def table(values, name="x", keys=None):
    row = np.atleast_2d(np.array(values, np.float64))
    keys = keys or tuple(SeriesKey(str(place), origin="probe") for place in range(row.shape[1]))
    names = (name,) if isinstance(name, str) else name
    return FeatureTable("requests", 0, keys, names, row)


def scores_of(detector, stream, limit=6.0):
    """Scores of each tick, learning as a rule does: what is strange is kept out."""
    told = []
    for one in stream:
        told.append(detector.score(one).score)
        detector.learn(one, ~(told[-1] > limit))
    return np.array(told)


def siblings(**options):
    return Siblings("x", SiblingsParams(warmup_ticks=3, min_deviation=0.1, **options), threshold=6.0)


USUAL = [1.0, 2.0, 3.0, 4.0, 5.0]


def test_one_alone_is_strange_and_all_together_are_not():
    alone, together = [1.0, 2.0, 3.0, 4.0, 20.0], [3.0, 6.0, 9.0, 12.0, 15.0]
    told = scores_of(siblings(), [table(row) for row in (USUAL, USUAL, USUAL, alone, together, USUAL)])
    assert np.isnan(told[:3]).all()
    assert told[3].tolist() == [0, 0, 0, 0, 30] and told[4].max() < 1e-9 and told[5].max() < 1e-9


@pytest.mark.parametrize("others", [0, 1, 3])
def test_too_few_siblings_give_no_verdict(others):
    told = scores_of(siblings(), [table(USUAL[: others + 1])] * 9)
    assert np.isnan(told).all()


def test_siblings_are_those_of_the_same_origin():
    keys = tuple(SeriesKey(str(n), origin="probe" if n < 5 else "traffic") for n in range(7))
    told = scores_of(siblings(), [table([1.0] * 7, keys=keys)] * 4 + [table([1.0] * 5 + [99.0] * 2, keys=keys)])
    assert np.isfinite(told[-1, :5]).all() and np.isnan(told[-1, 5:]).all()


def test_a_silent_sibling_is_not_judged_and_does_not_count():
    holed = [1.0, NAN, 3.0, 4.0, 5.0]
    assert np.isnan(scores_of(siblings(), [table(USUAL)] * 4 + [table(holed)])[-1]).all()
    five = scores_of(siblings(), [table([*USUAL, 6.0])] * 4 + [table([*holed, 60.0])])[-1]
    assert np.isnan(five[1]) and five[5] > 6


def test_what_stays_apart_is_accepted_after_the_cap():
    apart = [1.0, 2.0, 3.0, 4.0, 20.0]
    told = scores_of(siblings(relearn_ticks=5), [table(USUAL)] * 4 + [table(apart)] * 12)
    assert told[8, 4] > 6 and np.isnan(told[9, 4]) and told[-1, 4] == 0


def test_new_siblings_warm_up_by_themselves_and_a_copy_goes_on_alike():
    detector = siblings()
    scores_of(detector, [table(USUAL)] * 4)
    grown = table([*USUAL, *range(100, 200)])
    first = detector.score(grown).score
    assert np.isfinite(first[:5]).all() and np.isnan(first[5:]).all()
    copy = pickle.loads(pickle.dumps(detector))
    assert np.array_equal(scores_of(detector, [grown] * 5), scores_of(copy, [grown] * 5), equal_nan=True)


def silence(**options):
    params = SilenceParams(warmup_ticks=5, warmup_heard_ticks=3, min_silent_seconds=10.0, **options)
    return Silence("x", params, threshold=1.0)


def silent(*lengths):
    """Windows of 1 s: a request, then silence, for each length."""
    return [table([float(second)]) for length in lengths for second in range(length + 1)]


def test_a_steady_series_is_silent_after_the_shortest_limit():
    told = scores_of(silence(), silent(0, 0, 0, 0, 0, 0, 20), 1.0)[:, 0]
    assert np.isnan(told[:5]).all()
    assert told[-21:][9:12].tolist() == [0.9, 1.0, 1.1]


def test_a_source_in_batches_is_not_silent_between_them():
    told = scores_of(silence(), silent(30, 30, 30, 30), 1.0)[:, 0]
    assert np.isfinite(told[-1]) and not (told > 1).any()
    longer = scores_of(silence(forget_ratio=0.0), silent(30, 30, 100), 1.0)[:, 0]
    assert (longer[-101:] > 1).sum() == 10


def test_a_strange_silence_is_not_learned_and_an_endless_one_is_the_end():
    told = scores_of(silence(), silent(0, 0, 0, 0, 0, 0, 20, 0, 20), 1.0)[:, 0]
    assert (told[-20:] > 1).sum() == 10
    ended = scores_of(silence(relearn_ticks=30), silent(0, 0, 0, 0, 0, 0, 500, *[0] * 8, 20), 1.0)[:, 0]
    assert (ended[7:507] > 1).sum() == 30 and (ended[-20:] > 1).sum() == 10


NAMES = ("error_ratio_3600s", "error_ratio_300s", "request_count_3600s")


@pytest.mark.parametrize(
    ("long", "short", "count", "score"),
    [
        (0.002, 0.002, 9000, 2.0),
        (0.02, 0.002, 9000, 2.0),  # over: the short window is well again
        (0.002, 0.2, 9000, 2.0),  # a short burst that hardly matters
        (0.02, 0.03, 9000, 20.0),
        (0.0, 0.0, 9000, 0.0),
        (NAN, 0.03, 9000, NAN),  # not enough history is not green
        (0.02, NAN, 9000, NAN),
        (0.4, 0.4, 5, NAN),  # not enough requests
        (0.02, 0.02, 200, 0.0),  # four errors
    ],
)
def test_burn_rates(long, short, count, score):
    detector = BurnRate(NAMES, BurnRateParams(objective_ratio=0.999), threshold=14.4)
    told = detector.score(table([[long], [short], [count]], NAMES))
    assert told.score == pytest.approx([score], nan_ok=True) and told.upper == pytest.approx([0.0144])

"""What every detector promises, as tests to inherit.

A test module of a plug-in needs two classes and their fixtures::

    class TestJump(DetectorContract):
        @pytest.fixture
        def build(self) -> Callable[[], Detector]:
            return lambda: Jump("x", JumpParams(), threshold=1.0)


    class TestJumpSpec(DetectorSpecContract):
        @pytest.fixture
        def spec(self) -> DetectorSpec:
            return SPEC

        @pytest.fixture
        def params(self) -> JumpParams:
            return JumpParams(most=2.0)
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest

from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import FeatureTable, FloatArray, Scores, SeriesKey
from aiops_nb.detect.spec import DetectorSpec

TICKS = 140
SERIES = 6
EVERY = np.ones(SERIES, np.bool_)
WARM_TICKS = 60
FIRST_GAP, LAST_GAP = 80, 100
Build = Callable[[], Detector]


def noise(seed: int, series: int) -> FloatArray:
    """(TICKS, series) normal values about 5.

    Examples
    --------
    >>> noise(seed=0, series=2).shape
    (140, 2)
    """
    return 5.0 + np.random.default_rng(seed).normal(size=(TICKS, series))


def far_values() -> FloatArray:
    """(10, SERIES) values that no detector of sizes takes for normal."""
    return np.full((10, SERIES), 500.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraits:
    """How a detector differs from most; each default is what most do.

    Attributes
    ----------
    has_warmup
        Its first scores are NaN. A fixed limit has none, and learns nothing.
    excludes
        Values that the caller excludes from learning do not move it.
    finds_far_values
        A value far off all earlier ones has the highest score.
    takes_counters
        It scores a value that rises for ever and starts again from 0.
    bridges_hours
        It has a score right after hours without a value.
    ignores_order
        Scores do not depend on the order of the series; a sample drawn over all series does.
    compares_series
        A series is compared with the others.
    values
        `(seed, series)` -> (TICKS, series) values of the kind that it is made for.
    excluded_values
        (10, SERIES) values that are anomalous, the last of them being the last to learn.
    constants
        Features that are counts rather than values, and what they are in each window.
    """

    has_warmup: bool = True
    excludes: bool = True
    finds_far_values: bool = True
    takes_counters: bool = True
    bridges_hours: bool = True
    ignores_order: bool = True
    compares_series: bool = False
    values: Callable[[int, int], FloatArray] = noise
    excluded_values: Callable[[], FloatArray] = far_values
    constants: Mapping[str, float] = field(default_factory=dict)

    def tables(self, detector: Detector, values: FloatArray) -> list[FeatureTable]:
        """(ticks, n) values as one table a second, the same value in each feature that the detector sees."""
        names = ("other", *(detector.features or ("x",)))
        keys = tuple(SeriesKey(str(number)) for number in range(values.shape[1]))
        return [
            FeatureTable("requests", (at + 1) * 10**9, keys, names, np.stack([self._column(one, row) for one in names]))
            for at, row in enumerate(values)
        ]

    def _column(self, name: str, row: FloatArray) -> FloatArray:
        if name == "other":
            return np.zeros(len(row))
        return np.full(len(row), self.constants[name]) if name in self.constants else row


def run(detector: Detector, stream: list[FeatureTable]) -> list[Scores]:
    """Scores of each table, everything being learned after it is scored."""
    scores = []
    for table in stream:
        scores.append(detector.score(table))
        detector.learn(table, np.ones(table.values.shape[1], np.bool_))
    return scores


def same(left: Scores, right: Scores) -> bool:
    """Whether score, expected value and band are equal, NaN for NaN."""
    parts = ("score", "expected", "lower", "upper")
    return all(np.array_equal(getattr(left, part), getattr(right, part), equal_nan=True) for part in parts)


class DetectorContract:
    """Tests of one detector; a subclass has the fixture `build`, which makes a new one each time it is called.

    The fixture `traits` may be overridden, for a detector that differs from most.

    Examples
    --------
    >>> class TestJump(DetectorContract):
    ...     pass
    """

    @pytest.fixture
    def traits(self) -> DetectorTraits:
        """How the detector differs from most."""
        return DetectorTraits()

    def test_it_is_a_detector(self, build: Build) -> None:
        """It has a name, the features it sees, `score` and `learn`."""
        detector = build()
        assert isinstance(detector, Detector), "expected the attributes name, features, score and learn"
        assert detector.name, "expected a name that is not empty"
        assert all(isinstance(name, str) for name in detector.features)

    def test_scores_are_nan_in_warmup_and_then_not_negative(self, build: Build, traits: DetectorTraits) -> None:
        """NaN while it warms up, never 0; later at least 0 for every series, with arrays of one length."""
        scores = run(build(), traits.tables(build(), traits.values(0, SERIES)))
        assert np.isnan(scores[0].score).all() or not traits.has_warmup, "expected NaN for the first values"
        assert (scores[-1].score >= 0).all(), f"expected scores after {TICKS} values, got {scores[-1].score}"
        assert all(len(part) == SERIES for part in (scores[-1].expected, scores[-1].lower, scores[-1].upper))

    def test_scoring_changes_nothing(self, build: Build, traits: DetectorTraits) -> None:
        """`score` may be called often, and for tables that are never learned."""
        stream = traits.tables(build(), traits.values(0, SERIES))
        other = traits.tables(build(), traits.values(1, SERIES) + 50)
        once, often = build(), build()
        for at, table in enumerate(stream):
            expected = once.score(table)
            often.score(other[at])
            often.score(table)
            assert same(often.score(table), expected), f"a second `score` of table {at} gave other scores"
            for detector in (once, often):
                detector.learn(table, EVERY)

    def test_a_pickled_copy_continues_alike(self, build: Build, traits: DetectorTraits) -> None:
        """Its whole state survives pickling, between `score` and `learn` too."""
        detector, stream = build(), traits.tables(build(), traits.values(0, SERIES))
        run(detector, stream[:100])
        detector.score(stream[100])
        copy = pickle.loads(pickle.dumps(detector))
        pairs = zip(run(detector, stream[100:]), run(copy, stream[100:]), strict=True)
        assert all(same(left, right) for left, right in pairs)

    def test_two_runs_are_equal_whatever_the_global_seed(self, build: Build, traits: DetectorTraits) -> None:
        """No unseeded randomness, so that a replay gives the scores of the live run."""
        stream = traits.tables(build(), traits.values(0, SERIES))
        np.random.seed(1)
        first = run(build(), stream)
        np.random.seed(2)
        assert all(same(left, right) for left, right in zip(first, run(build(), stream), strict=True))

    def test_an_unknown_value_scores_nan_and_is_not_learned(self, build: Build, traits: DetectorTraits) -> None:
        """NaN in, NaN out; the series has a score again with the next value."""
        holed = traits.values(0, SERIES)
        holed[60:70, 2] = np.nan
        scores = run(build(), traits.tables(build(), holed))
        assert all(np.isnan(one.score[2]) for one in scores[60:70])
        assert np.isfinite(scores[-1].score).all()

    @pytest.mark.parametrize("constant", [0.0, 0.1, -3.0, 1e12])
    def test_a_constant_is_never_anomalous(self, build: Build, traits: DetectorTraits, constant: float) -> None:
        """A series without any spread divides by nothing."""
        scores = run(build(), traits.tables(build(), np.full((TICKS, SERIES), constant)))
        last = np.stack([one.score for one in scores[WARM_TICKS:]])
        if traits.has_warmup:
            assert not (last > 25).any()
        else:
            assert (last == last[0, 0]).all() and last[0, 0] >= 0

    def test_a_series_that_appears_later_warms_up_by_itself(self, build: Build, traits: DetectorTraits) -> None:
        """New series come at the end of the table; those known before keep their past."""
        values, detector = traits.values(0, 40), build()
        few = run(detector, traits.tables(detector, values[:, :3])[:100])
        more = run(detector, traits.tables(detector, values)[100:])
        assert np.isfinite(few[-1].score).all()
        assert np.isfinite(more[0].score[:3]).all()
        assert np.isnan(more[0].score[3:]).all() or not traits.has_warmup

    def test_a_far_value_scores_above_all_before(self, build: Build, traits: DetectorTraits) -> None:
        """The one thing that a detector of sizes is for."""
        if not traits.finds_far_values:
            pytest.skip("looks for something else")
        values = traits.values(0, SERIES)
        values[-1, 0] = 60.0
        scores = run(build(), traits.tables(build(), values))
        before = np.nanmax([one.score[0] for one in scores[70:-1]])
        assert scores[-1].score[0] > before

    def test_excluded_values_are_not_learned(self, build: Build, traits: DetectorTraits) -> None:
        """`learn` with rows of False leaves the baseline where it was."""
        if not traits.excludes:
            pytest.skip("learns nothing, or everything")
        values = traits.values(0, SERIES)[:100]
        stream = traits.tables(build(), np.concatenate([values, traits.excluded_values()]))
        detector, other = build(), build()
        for table in stream[:100]:
            for one in (detector, other):
                one.score(table)
                one.learn(table, EVERY)
        for table in stream[100:]:
            detector.score(table)
            detector.learn(table, ~EVERY)
            other.score(table)
            other.learn(table, EVERY)
        frozen, learned = detector.score(stream[100]).score, other.score(stream[100]).score
        assert (frozen >= learned).all() or traits.compares_series
        assert (frozen > learned).any(), "excluded values lowered the score of the same values afterwards"

    def test_a_gap_leaves_the_baseline_as_it_was(self, build: Build, traits: DetectorTraits) -> None:
        """Windows of NaN are the same as none."""
        values = traits.values(0, SERIES)
        holed = values.copy()
        holed[FIRST_GAP:LAST_GAP] = np.nan
        through, around = build(), build()
        scores = run(through, traits.tables(through, holed))[LAST_GAP:]
        stream = traits.tables(around, values)
        run(around, stream[:FIRST_GAP])
        assert all(same(left, right) for left, right in zip(scores, run(around, stream[LAST_GAP:]), strict=True))

    def test_irregular_times_are_accepted(self, build: Build, traits: DetectorTraits) -> None:
        """Windows may lie seconds or hours apart."""
        stream, detector = traits.tables(build(), traits.values(0, SERIES)), build()
        distances_seconds = np.random.default_rng(3).choice([1, 1, 1, 60, 11_000], TICKS)
        ends_ns = np.cumsum(distances_seconds) * 10**9
        irregular = [
            FeatureTable(one.table, int(end_ns), one.series, one.names, one.values)
            for one, end_ns in zip(stream, ends_ns, strict=True)
        ]
        scores = run(detector, irregular)
        assert np.isfinite(scores[-1].score).all() or not traits.bridges_hours
        assert all(same(left, right) for left, right in zip(scores, run(build(), irregular), strict=True))

    def test_a_counter_reset_is_survived(self, build: Build, traits: DetectorTraits) -> None:
        """A value that rises for ever, and starts again from 0."""
        if not traits.takes_counters:
            pytest.skip("judges no counters")
        counted = np.cumsum(np.random.default_rng(5).poisson(40, (3 * TICKS, SERIES)), axis=0).astype(float)
        counted[2 * TICKS :] -= counted[2 * TICKS - 1]
        detector = build()
        stream = traits.tables(detector, counted)
        scores = np.stack([one.score for one in run(detector, stream)])
        assert np.isfinite(scores[TICKS:]).all()
        assert (scores[TICKS:] >= 0).all()
        assert same(pickle.loads(pickle.dumps(detector)).score(stream[-1]), detector.score(stream[-1]))

    def test_the_order_of_the_series_makes_no_difference(self, build: Build, traits: DetectorTraits) -> None:
        """Series are judged alike wherever they are in the table."""
        if not traits.ignores_order:
            pytest.skip("draws a sample over all series")
        values, order = traits.values(0, SERIES), np.array([3, 0, 5, 1, 4, 2])
        values[-1, 0] = 60.0
        scores = run(build(), traits.tables(build(), values))[-1]
        mixed = run(build(), traits.tables(build(), values[:, order]))[-1]
        assert np.array_equal(scores.score[order], mixed.score, equal_nan=True)
        assert np.array_equal(scores.upper[order], mixed.upper, equal_nan=True)

    def test_extreme_floats_are_survived(self, build: Build, traits: DetectorTraits) -> None:
        """The largest and smallest floats, infinities and NaN; a warning of numpy counts as a failure."""
        values = traits.values(0, SERIES)
        values[100:104] = [1e308, -1e308, np.inf, -np.inf, 5e-324, np.nan]
        detector = build()
        stream = traits.tables(detector, values)
        with np.errstate(all="warn", under="ignore"):  # the smallest float, halved, is 0
            scores = run(detector, stream)
        extreme = np.stack([one.score for one in scores[100:104]])
        assert np.isnan(extreme[:, 2:4]).all(), "expected NaN for infinities"
        assert not (extreme < 0).any()
        assert np.isfinite(scores[-1].score[2:]).all()
        assert same(pickle.loads(pickle.dumps(detector)).score(stream[99]), detector.score(stream[99]))


class DetectorSpecContract:
    """Tests of a spec; a subclass has the fixtures `spec` and `params`, an example of its parameters.

    Examples
    --------
    >>> class TestJumpSpec(DetectorSpecContract):
    ...     pass
    """

    def test_parameters_survive_a_configuration(self, spec: DetectorSpec, params: msgspec.Struct) -> None:
        """Written to a configuration and read again they are the same."""
        written = msgspec.to_builtins(params)
        assert written["type"] == spec.type
        assert msgspec.convert(written, spec.params) == params

    def test_unknown_parameters_are_refused(self, spec: DetectorSpec, params: msgspec.Struct) -> None:
        """A mistyped key must not be ignored."""
        written = {**msgspec.to_builtins(params), "no_such_parameter": 1}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(written, spec.params)

    def test_it_builds_a_detector_whose_threshold_can_be_moved(
        self, spec: DetectorSpec, params: msgspec.Struct
    ) -> None:
        """Each is a new one, of the features that the rule names; a rule may move the threshold while it runs."""
        detector, other = (spec.build(params, ("x",), 7.0) for _ in range(2))
        assert isinstance(detector, Detector)
        assert detector.features[0] == "x"
        assert detector is not other
        assert detector.threshold == 7.0
        detector.threshold = 9.0
        assert (detector.threshold, other.threshold) == (9.0, 7.0)

    def test_fewer_false_alarms_take_a_higher_threshold(self, spec: DetectorSpec) -> None:
        """Of a calibrated detector, within the scale of its scores."""
        if spec.scale is None:
            pytest.skip("not calibrated")
        many, few = (spec.scale.threshold(rate, 60.0) for rate in (10.0, 0.1))
        assert 0 < many < few < 100

"""What detectors are written in gives the same bits in the compiled kernel and in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb import kernel
from aiops_nb.detect.arithmetic import operations
from aiops_nb.detect.estimators.flat_forest import FlatForest

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason="no compiled kernel is installed")


def both(monkeypatch: pytest.MonkeyPatch, function, *arguments):
    compiled = function(*arguments)
    with monkeypatch.context() as without, np.errstate(all="ignore"):
        without.setattr(kernel, "compiled", None)
        return compiled, function(*arguments)


@pytest.mark.parametrize("seed", range(10))
def test_upper_tails(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, count = int(rng.integers(2, 97)), 200
    weights = (rng.random(count * size) * (rng.random(count * size) < 0.3)).astype(np.float32)
    bin_at = rng.integers(0, size, count)
    mass = rng.random(count) * rng.choice([0.1, 5.0, 100.0])
    arguments = weights, np.arange(count) * size, size, bin_at, mass
    compiled, plain = both(monkeypatch, operations.upper_tail, *arguments)
    assert [part.tobytes() for part in compiled] == [part.tobytes() for part in plain]


def test_a_bin_outside_is_refused() -> None:
    weights = np.zeros(10, np.float32)
    with pytest.raises(ValueError, match="no such bin"):
        operations.upper_tail(weights, np.array([5]), 10, np.array([3]), np.array([1.0]))


@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_flat_forests_score_as_scikit_learn_does(max_features: float) -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    rng = np.random.default_rng(1)
    rows, vectors = rng.normal(size=(600, 6)), 3 * rng.normal(size=(777, 6))
    forest = ensemble.IsolationForest(n_estimators=20, random_state=0, max_features=max_features).fit(rows)
    flat = FlatForest.of(forest, rows)
    assert flat is not None
    scores = flat.raw_score(vectors)
    assert scores is not None and scores.tobytes() == (-forest.score_samples(vectors)).tobytes()
    assert flat.raw_score(np.full((1, 6), 1e300)) is None  # scikit-learn refuses it by name


def test_another_estimator_has_no_flat_form() -> None:
    assert FlatForest.of(object(), np.zeros((3, 2))) is None


def test_trees_that_go_in_circles_are_refused() -> None:
    leaf = np.array([[1, 1], [0, 0]], np.int32)
    arrays = np.zeros(2, np.int32), np.zeros(2), leaf, np.zeros(2), np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="flattened trees"):
        kernel.compiled.forest_sums(*arrays, np.zeros((1, 1), np.float32), np.zeros(1))

"""Features, scores and alerts do not depend on the processor: numpy has other code for each, with other last bits.

Equal bytes are promised between machines of one architecture with the same versions of numpy and Python, whatever
vector instructions they have; not for estimators of other libraries, which have their own linear algebra.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy._core import _multiarray_umath as numpy_core

from aiops_nb.core.types import Scores
from aiops_nb.detect.arithmetic.operations import exp, log
from aiops_nb.rules.feature.judge import without_signed_zeros
from tests.paths import ROOT

DIGEST = """
from aiops_nb.engine.params import PipelineParams
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from tests.property.digests import digest_of
from tests.property.streams import random_stream
from tests.property.test_processors import judged_by_each

digest, _ = digest_of(random_stream({seed}, seconds=75), PipelineParams(enable=tuple(AVAILABLE_RULES)))
each, _ = digest_of(random_stream({seed}, seconds=75), judged_by_each())
print(*digest.result(), *each.result())
"""
FEATURES = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__.get(name)]


def judged_by_each():
    """A rule by every detector that needs no other library."""
    from aiops_nb.detect.registry import STREAMING
    from aiops_nb.engine.params import PipelineParams
    from aiops_nb.rules.feature.params import FeatureRuleParams

    rules = tuple(
        FeatureRuleParams(alertname=name, feature="duration_p95_seconds", threshold=30.0, detector=spec.params())
        for name, spec in STREAMING.items()
    )
    return PipelineParams(feature_rules=rules)


def digest_without(features: list[str], seed: int) -> str:
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(features)}
    code = DIGEST.format(seed=seed)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not FEATURES, reason="this processor has no vector instructions that numpy can be told to leave")
@pytest.mark.parametrize("seed", [3])
def test_other_vector_instructions_give_the_same_bytes(seed: int) -> None:
    assert digest_without(FEATURES, seed) == digest_without([], seed)


def test_exponentials_and_logarithms_are_our_own_and_right() -> None:
    numbers = np.linspace(-700.0, 700.0, 20_001)
    np.testing.assert_allclose(exp(numbers), np.exp(numbers), rtol=4e-15)
    assert exp(np.array([0.0, -1e9, np.nan])).tolist()[:2] == [1.0, 5e-324]
    assert np.isnan(exp(np.array([np.nan]))[0])
    np.testing.assert_allclose(exp(log(np.array([1e-300, 0.1, 3.0, 1e300]))), [1e-300, 0.1, 3.0, 1e300], rtol=1e-13)


def test_no_room_of_the_engine_calls_functions_that_differ() -> None:
    differing = ("np.log(", "np.log2(", "np.log10(", "np.log1p(", "np.exp(", "np.expm1(", "np.power(", "np.tanh(")
    differing += ("np.cbrt(", "np.arcsinh(", "np.sin(", "np.cos(", "np.exp2(", "np.logaddexp(", "np.sinh(")
    found = []
    for room in ("alert", "detect", "engine", "features", "preprocess", "rules"):
        for path in sorted((ROOT / "aiops_nb" / room).rglob("*.py")):
            lines = path.read_text(encoding="utf-8").splitlines()
            code = [line for line in lines if ">>>" not in line]
            found += [f"{path}: {line.strip()}" for line in code if any(name in line for name in differing)]
    assert found == []


def test_scores_have_no_signed_zeros() -> None:
    zeros = np.array([-0.0, 0.0, -1.0, np.nan])
    for part in vars_of(without_signed_zeros(Scores(zeros, zeros, zeros, zeros))):
        assert np.signbit(part[:3]).tolist() == [False, False, True] and np.isnan(part[3])


def vars_of(scores: Scores) -> list[np.ndarray]:
    return [scores.score, scores.expected, scores.lower, scores.upper]

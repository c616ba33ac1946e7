"""One source, three ways to run it: numpy over many series, plain Python and compiled code over one, to equal bits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import aiops_nb
from aiops_nb.detect.arithmetic import operations as elementary
from aiops_nb.detect.registry import STREAMING
from aiops_nb.offline import scalar_operations as bound
from aiops_nb.offline import walk as offline
from aiops_nb.offline.walk import judged

POINTS = 260


def awkward(seed: int) -> np.ndarray:
    """Noise, a spike, a plateau, a jump in scale, and holes."""
    x = np.random.default_rng(seed).normal(size=POINTS)
    x[150] = 40.0
    x[180:200] = x[180]
    x[220:] *= 1e3
    x[[5, 90]] = np.nan
    return x


TIME_BIN = np.arange(POINTS, dtype=np.int64) * 7 % (7 * 24)


@pytest.mark.parametrize("name", sorted(STREAMING))
def test_numpy_and_python_agree(name: str) -> None:
    one = STREAMING[name]
    values = np.stack([awkward(seed) for seed in range(3)])
    state = one.kernel.empty(3, 24, one.params())
    begun = np.zeros(3, np.bool_)
    told = np.full((3, 3, POINTS), np.nan)
    for at in range(POINTS):
        series = np.flatnonzero(np.isfinite(values[:, at]))
        x, time_bin = values[series, at], np.repeat(TIME_BIN[at], len(series))
        one.kernel.begin(series[~begun[series]], x[~begun[series]], state)
        begun[series] = True
        told[:, series, at] = one.kernel.judge(series, x, time_bin, state)
        one.kernel.learn(series, x, time_bin, state)
    for number in range(3):
        alone = judged(one.kernel, one.params(), 24, values[number], TIME_BIN, "python")
        np.testing.assert_array_equal(np.stack(alone), told[:, number])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("name", ["ewma", "facts"])
def test_compiled_code_agrees(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = STREAMING[name]
    python, compiled = (judged(one.kernel, one.params(), 24, awkward(4), TIME_BIN, way) for way in ("python", "numba"))
    np.testing.assert_array_equal(np.stack(python), np.stack(compiled))


def test_compiled_code_lies_in_the_cache_folder_of_the_platform(tmp_path, monkeypatch) -> None:
    pytest.importorskip("numba")
    folder = tmp_path / "cache"
    variable = {"win32": "LOCALAPPDATA", "darwin": "HOME"}.get(sys.platform, "XDG_CACHE_HOME")
    monkeypatch.setenv(variable, str(folder))
    offline._cache_folder.cache_clear()
    found = offline._cache_folder(STREAMING["iqr"].kernel)
    offline._cache_folder.cache_clear()
    assert found.is_relative_to(folder) and "aiops_nb" in found.parts and offline.SOURCES in found.name


def test_what_was_compiled_for_one_copy_of_the_sources_is_not_waited_for_in_another(tmp_path) -> None:
    shutil.copytree(Path(aiops_nb.__file__).parent, tmp_path / "aiops_nb")
    told = "from aiops_nb.offline import walk; print(walk.__file__, walk.SOURCES)"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, env=env, capture_output=True, check=True)
    file, sources = ran.stdout.decode().split()
    assert Path(file).is_relative_to(tmp_path)
    assert sources != offline.SOURCES


def test_the_logarithm_is_one() -> None:
    numbers = np.concatenate([np.geomspace(1e-300, 1e300, 2000), 1.0 + np.linspace(-0.3, 0.5, 801)])
    np.testing.assert_allclose(elementary.log(numbers), np.log(numbers), rtol=1e-14, atol=2e-16)
    scalar = bound.in_python(elementary.log, {})
    assert [scalar(float(number)) for number in numbers] == elementary.log(numbers).tolist()


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_the_upper_tail_is_one(share: float) -> None:
    random = np.random.default_rng(2)
    weights = np.where(random.random((50, 12)) < 0.5, 0, random.random((50, 12))).astype(np.float32)
    weights[:, 0] += 0.5
    first, bin_at = np.arange(50) * 12, random.integers(0, 12, 50)
    totals = weights.sum(axis=1, dtype=np.float64)
    together = elementary.upper_tail(weights.ravel(), first, 12, bin_at, share * 0.99 * totals)
    for row in range(50):
        alone = bound.upper_tail(weights.ravel(), int(first[row]), 12, int(bin_at[row]), share * 0.99 * totals[row])
        assert tuple(part[row] for part in together) == alone


def test_old_weight_is_rescaled_before_it_overflows() -> None:
    weights = np.full(6, 3.0, np.float32)
    divisor = elementary.shrink(weights, np.array([0, 3]), 3, np.array([2.0, 10.0]), 5.0)
    assert divisor.tolist() == [1.0, 10.0]
    np.testing.assert_allclose(weights, [3, 3, 3, 0.3, 0.3, 0.3], rtol=1e-6)
    alone = np.full(3, 3.0, np.float32)
    assert bound.shrink(alone, 0, 3, 10.0, 5.0) == 10.0
    np.testing.assert_array_equal(alone, weights[3:])

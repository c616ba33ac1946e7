"""A whole series at once, by the kernels that run live: in plain Python, or compiled where that pays."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.detect.kernel import Kernel, StreamParams, Verdict, walk
from aiops_nb.offline import scalar_operations as bound

Way = Literal["python", "numba"]
COMPILING_PAYS_FROM_POINTS = 50_000
LOADING_PAYS_FROM_POINTS = 1_000
SMALLEST = 1e-300


def judged(kernel: Kernel, params: StreamParams, bins: int, x: FloatArray, time_bin: IntArray, way: Way) -> Verdict:
    """Raw score, expected value and half band of each point of a series, every point being learned after it."""
    return walked(kernel, x, time_bin, kernel.empty(1, bins, params), way, fresh=True)


def walked(kernel: Kernel, x: FloatArray, time_bin: IntArray, state: Any, way: Way, *, fresh: bool) -> Verdict:
    """The same of a series that goes on from a state, which moves; `fresh`: the state has seen nothing yet."""
    out = tuple(np.full(len(x), np.nan) for _ in range(3))
    if way == "numba":
        _compiled_walk(kernel)(np.ascontiguousarray(x), time_bin, state, out, fresh)
    else:
        views = bound.plain_views((np.ascontiguousarray(x), time_bin, state, out))
        _python_walk(kernel)(*views, fresh)
    return out[0], out[1], out[2]


def explained(
    kernel: Kernel, params: StreamParams, bins: int, x: FloatArray, time_bin: IntArray, positions: IntArray, way: Way
) -> dict[str, FloatArray]:
    """Shares of each part in the raw score of these points: (positions,) each.

    `positions` rise, and none of the values there is NaN.

    The series is walked once more, with a halt before each of the points. Empty if there is but one part.
    """
    if kernel.explain is None:
        return {}
    state, done, alone = kernel.empty(1, bins, params), 0, np.zeros(1, np.int64)
    begins = int(np.argmax(np.isfinite(x)))
    shares = np.full((len(kernel.parts), len(positions)), np.nan)
    for number, at in enumerate(positions.tolist()):
        walked(kernel, x[done:at], time_bin[done:at], state, way, fresh=done <= begins)
        with np.errstate(all="ignore"):
            parts = kernel.explain(alone, x[at : at + 1], time_bin[at : at + 1], state)
        shares[:, number], done = np.concatenate(parts) / (sum(parts) + SMALLEST), at
    return dict(zip(kernel.parts, shares, strict=True))


def best_way(kernel: Kernel, points: int) -> Way:
    """Compiled if numba is there, and the points pay for it or it was done before; the results are equal.

    Compiling takes some ten seconds, once for each version of this package; plain Python makes 5,000 to 20,000 points
    a second.
    """
    if find_spec("numba") is None or points < LOADING_PAYS_FROM_POINTS:
        return "python"
    return "numba" if points >= COMPILING_PAYS_FROM_POINTS or _cache_folder(kernel).is_dir() else "python"


@cache
def _python_walk(kernel: Kernel) -> Callable[..., None]:
    return bound.in_python(walk, _parts(kernel))


@cache
def _compiled_walk(kernel: Kernel) -> Callable[..., None]:
    numba: Any = import_module("numba")

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        kept = {"cache": True} if function.__name__ == walk.__name__ else {}
        ready: Callable[..., Any] = numba.njit(error_model="numpy", **kept)(function)
        return ready

    previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(_cache_folder(kernel))
    try:
        return bound.in_numba(walk, _parts(kernel), compiled)
    finally:
        numba.config.CACHE_DIR = previous


def _parts(kernel: Kernel) -> dict[str, Callable[..., Any]]:
    return {"begin_series": kernel.begin, "judge_point": kernel.judge, "learn_point": kernel.learn}


def _digest() -> str:
    """Of all that numba looks at before it takes what was compiled: a copy elsewhere, or a new one, has its own."""
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {__file__}".encode())
    detect = Path(__file__).parents[1] / "detect"
    sources = [*Path(__file__).parent.glob("*.py"), *detect.glob("*.py"), *detect.glob("*/*.py")]
    for path in sorted(sources):
        digest.update(path.read_bytes())
        digest.update(str(path.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


# When this is loaded, not when something is compiled: sources may be edited under a kernel that runs on.
SOURCES = _digest()


@cache
def _cache_folder(kernel: Kernel) -> Path:
    """One for each state of these sources: numba alone would look only at the file of the outermost function."""
    platformdirs: Any = import_module("platformdirs")
    name = f"{SOURCES}-numba-{version('numba')}-{kernel.judge.__name__}"
    return Path(platformdirs.user_cache_path("aiops_nb", appauthor=False)) / name

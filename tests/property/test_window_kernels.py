"""The kernel's functions on windows refuse arrays that do not fit: they never read or write beyond one."""

from __future__ import annotations

import copy
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from aiops_nb import kernel
from aiops_nb.engine.pipeline import Pipeline
from tests.property.test_push_many import orderly_stream

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason=kernel.status())
NAMES = (
    "close_request_windows",
    "close_overall_windows",
    "close_horizon_windows",
    "judge_windows",
    "fade_pace",
    "take_hits",
)
REFUSED = (TypeError, ValueError, IndexError, OverflowError)


@pytest.fixture(scope="module")
def calls():
    """Arguments of real calls, by function."""
    compiled, seen = kernel.compiled, {name: [] for name in NAMES}

    def noting(name):
        function = getattr(compiled, name)

        def call(*arguments):
            if len(seen[name]) < 40:
                seen[name].append(copy.deepcopy(arguments))
            return function(*arguments)

        return call

    others = {name: getattr(compiled, name) for name in dir(compiled) if not name.startswith("__")}
    kernel.compiled = SimpleNamespace(**others | {name: noting(name) for name in NAMES})
    try:
        Pipeline().push_many(list(islice(orderly_stream(5), 500)))
    finally:
        kernel.compiled = compiled
    return seen


def arrays_of(value, path=()):
    """Where arrays lie in nested tuples."""
    if isinstance(value, np.ndarray):
        yield path
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from arrays_of(part, (*path, place))


def replaced(value, path, change):
    if not path:
        return change(value)
    return tuple(replaced(part, path[1:], change) if at == path[0] else part for at, part in enumerate(value))


def filled(number):
    def change(array):
        if array.dtype.kind not in "iu":
            return array
        bounds = np.iinfo(array.dtype)
        return np.full_like(array, min(max(number, bounds.min), bounds.max))

    return change


CHANGES = {
    "shorter": lambda array: np.ascontiguousarray(array[..., : array.shape[-1] // 2]),
    "fewer": lambda array: np.ascontiguousarray(array[: len(array) // 2]),
    "empty": lambda array: array[:0].copy(),
    "flat": lambda array: array.reshape(-1),
    "other type": lambda array: array.astype(np.float32 if array.dtype.kind == "f" else np.int16),
    "strided": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "below": filled(-1),
    "beyond": filled(1 << 40),
}


@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_do_not_fit_are_refused(calls, name):
    kept = calls[name][:: max(len(calls[name]) - 1, 1)]
    assert kept
    refused = 0
    for arguments in kept:
        for path in arrays_of(arguments):
            for change in CHANGES.values():
                with np.errstate(all="ignore"):
                    wrong = replaced(copy.deepcopy(arguments), path, change)
                try:
                    getattr(kernel.compiled, name)(*wrong)
                except REFUSED:
                    refused += 1
    assert refused > len(kept)


@pytest.mark.parametrize("name", NAMES)
def test_other_arguments_are_refused(calls, name):
    arguments = calls[name][0]
    for place in range(len(arguments)):
        for wrong in (object(), "text", (None,) * 40):
            given = list(copy.deepcopy(arguments))
            given[place] = wrong
            with pytest.raises(REFUSED):
                getattr(kernel.compiled, name)(*given)
    with pytest.raises(TypeError):
        getattr(kernel.compiled, name)()

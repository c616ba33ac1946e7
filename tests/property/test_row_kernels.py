"""Each kernel over rows gives what the numpy code beside its caller gives, whatever the rows hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb import kernel
from aiops_nb.features.clients.burst_intervals import Pulses
from aiops_nb.features.clients.keys import ipv4_addresses
from aiops_nb.features.clients.lookup_cache import LookupCache
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.features import RequestFeatures
from aiops_nb.features.requests.rows import RequestRows
from aiops_nb.rules.row.params import RowRuleParams
from aiops_nb.rules.row.streaks import RowRule

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason=kernel.status())


@contextmanager
def numpy_only() -> Iterator[None]:
    compiled, kernel.compiled = kernel.compiled, None
    try:
        yield
    finally:
        kernel.compiled = compiled


octet = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "1e", " 1", "0000", "\u0661"])
address = st.lists(octet, min_size=1, max_size=5).map(".".join) | st.text(max_size=12) | st.none()


@settings(max_examples=200, deadline=None)
@given(st.lists(address, max_size=8), st.integers(0, 3))
def test_addresses_of_clients(texts: list[str | None], cut: int) -> None:
    column = pa.array(texts, pa.string())[cut:]
    with numpy_only():
        plain = ipv4_addresses(column)
    compiled = ipv4_addresses(column)
    assert [part.tolist() for part in compiled] == [part.tolist() for part in plain]
    assert [part.dtype for part in compiled] == [part.dtype for part in plain]


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_what_was_found_out_about_keys(rows: int) -> None:
    rng, cache = np.random.default_rng(rows), LookupCache()
    known = rng.integers(0, 2**63, 3000).astype(np.uint64)
    cache.note(known, np.arange(3000), rng.random(3000) < 0.5)
    keys = rng.choice(np.append(known, rng.integers(0, 2**63, 3000).astype(np.uint64)), rows)
    with numpy_only():
        plain = cache.find(keys)
    assert [part.tolist() for part in cache.find(keys)] == [part.tolist() for part in plain]


ODD_SECONDS = np.array([0.0, -0.0, 1e-9, 1.22e-4, 0.05, 63.9, 64.0, 1999.9999995, 2000.0, 1e300, np.inf, np.nan, -1.0])
ODD_STATUS = np.array([0, 200, 399, 400, 404, 428, 429, 430, 499, 500, 503, 999], np.int16)


@pytest.mark.parametrize("with_phases", [False, True])
def test_features_of_requests(with_phases: bool) -> None:
    def values() -> bytes:
        rng, features, made = np.random.default_rng(5), RequestFeatures(WindowParams()), []
        for window in range(12):
            count = int(rng.integers(1, 400))
            phases = rng.choice([0.01, np.nan], (5, count)) if with_phases else None
            series, failed = rng.integers(0, 90, count), rng.random(count) < 0.1
            rows = (rng.choice(ODD_STATUS, count), failed, rng.choice(ODD_SECONDS, count), phases)
            features.add(RequestRows(np.full(count, window), series, *rows))
            made.append(features.close(window, (window + 1) * 10**9, 90).tobytes())
        return b"".join(made)

    with numpy_only():
        plain = values()
    assert values() == plain


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 8]), st.sampled_from([0.02, 0.3, 0.9]))
def test_runs_of_hits(seed: int, needed: int, ratio: float) -> None:
    def transitions() -> list[object]:
        rng, rule, made = (
            np.random.default_rng(seed),
            RowRule(RowRuleParams(alertname="r", condition="failed", for_rows=needed)),
            [],
        )
        for window in range(12):
            count = int(rng.integers(1, 40))
            series, hit, cause = rng.integers(0, 70, count), rng.random(count) < ratio, rng.integers(0, 9, count)
            made += rule.rows(series, hit, cause, window * 10**9 + np.arange(count))
            made += rule.tick((window + 1) * 10**9)
            made += rule.quiet().tolist()
        return made

    with numpy_only():
        plain = transitions()
    assert transitions() == plain


@pytest.mark.parametrize("whole_seconds", [False, True])
def test_intervals_between_bursts(whole_seconds: bool) -> None:
    def found() -> list[object]:
        rng, pulses, made = np.random.default_rng(3), Pulses(40), []
        for window in range(30):
            count = int(rng.integers(0, 60))
            times = window * 10**9 + rng.integers(-(10**9), 2 * 10**9, count)
            times = times // 10**9 * 10**9 if whole_seconds else times
            slots = rng.integers(0, 40, count)
            made.append(sorted(zip(*map(np.ndarray.tolist, pulses.intervals(slots, times)), strict=True)))
            if window % 7 == 0:
                pulses.forget(np.unique(rng.integers(0, 40, 5)))
        return made

    with numpy_only():
        plain = found()
    assert found() == plain
    assert sum(map(len, plain)) > 100  # type: ignore[arg-type]


def arrays(**changed: np.ndarray) -> list[np.ndarray]:
    shapes = {"series": np.int64, "hit": np.bool_, "cause": np.int16, "streak": np.int64}
    given = {name: np.zeros(4, kind) for name, kind in shapes.items()}
    given |= {"causes": np.zeros((5, 4), np.int64), "needed": np.full(4, 9), "watched": np.zeros(4, np.bool_)}
    return list((given | {"state": np.zeros(4, np.int8)} | changed).values())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({"series": np.zeros(4, np.float64)}, TypeError),
        ({"streak": np.zeros(4, np.int32)}, TypeError),
        ({"hit": np.zeros(3, np.bool_)}, ValueError),
        ({"needed": np.zeros(3, np.int64)}, ValueError),
        ({"causes": np.zeros((5, 3), np.int64)}, ValueError),
        ({"cause": np.zeros(8, np.int16)[::2]}, (BufferError, ValueError)),
    ],
)
def test_arrays_of_other_shapes_and_types_are_refused(changed: dict[str, np.ndarray], expected: object) -> None:
    assert kernel.compiled is not None
    if expected is None:
        assert kernel.compiled.row_runs(*arrays(**changed)) == 0
        return
    with pytest.raises(expected):  # type: ignore[call-overload]
        kernel.compiled.row_runs(*arrays(**changed))


@pytest.mark.parametrize("code", [-1, 4, 2**62])
def test_codes_outside_of_the_totals_are_refused(code: int) -> None:
    assert kernel.compiled is not None
    kinds = [np.int32] * 3 + [np.int64] * 3 + [np.int32] * 4
    totals = [np.zeros(4, kind) for kind in kinds]
    rows = [np.array([code]), np.zeros(1, np.int16), np.zeros(1, np.bool_), np.zeros(1)]
    with pytest.raises(ValueError, match="count_rows"):
        kernel.compiled.count_rows(*totals, *rows, np.zeros(1, np.int16), np.zeros(1, np.int32))
    assert kernel.compiled.row_runs(*arrays(series=np.full(4, code), hit=np.ones(4, np.bool_))) == -1


def test_offsets_outside_of_a_text_are_refused() -> None:
    assert kernel.compiled is not None
    out = np.zeros(1, np.uint64), np.zeros(1, np.bool_)
    for offsets in ([0, 9], [-1, 2], [2, 1], [0]):
        with pytest.raises(ValueError, match="ipv4"):
            kernel.compiled.ipv4(np.array(offsets, np.int32), b"1.2.3.4", *out, 0)
    with pytest.raises(ValueError, match="ipv4"):
        kernel.compiled.ipv4(np.array([0, 7], np.int32), b"1.2.3.4", *out, -1)

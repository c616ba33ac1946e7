"""Sums of rows do not depend on their order or on how they are cut, and any changed value changes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.core.schemas import make_batch
from aiops_nb.report.proof.row_sums import slice_sums

ROW = st.tuples(
    st.integers(0, 10**9),
    st.sampled_from(["a", "b", "\N{SNOWMAN}", ""]),
    st.one_of(st.none(), st.floats(allow_nan=False)),
    st.one_of(st.none(), st.text(max_size=5)),
)


def batch(rows):
    times, targets, values, texts = (list(column) for column in zip(*rows, strict=True))
    columns = {"time": times, "target": targets, "metric": "m", "value": values, "extra": texts}
    return make_batch("samples", "s", columns)


def sums(blocks):
    counts, totals = slice_sums(blocks, 0, 10**8, 10)
    return counts.tolist(), totals.tolist()


@given(st.lists(ROW, min_size=1, max_size=20), st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_cut_do_not_matter(rows, random, cut):
    shuffled = list(rows)
    random.shuffle(shuffled)
    parts = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    assert sums([batch(rows)]) == sums(map(batch, parts))


@pytest.mark.parametrize(
    "other",
    [
        (0, "b", 1.0, "x"),
        (0, "a", 1.5, "x"),
        (0, "a", None, "x"),
        (0, "a", 1.0, ""),
        (0, "a", 1.0, None),
        (1, "a", 1.0, "x"),
    ],
)
def test_any_changed_value_changes_the_sum(other):
    rows = [(0, "a", 1.0, "x"), (5, "b", 2.0, None)]
    assert sums([batch(rows)]) != sums([batch([other, rows[1]])])


def test_two_columns_that_swap_their_values_change_the_sum():
    columns = {"time": [0], "target": ["a"], "metric": ["b"], "value": [1.0]}
    swapped = columns | {"target": ["b"], "metric": ["a"]}
    assert sums([make_batch("samples", "s", columns)]) != sums([make_batch("samples", "s", swapped)])


def test_rows_outside_of_the_slices_are_not_lost():
    counts, _ = slice_sums([batch([(10**12, "a", 1.0, None)])], 0, 10**8, 10)
    assert counts.sum() == 1


def test_no_rows_have_the_sum_zero():
    counts, totals = slice_sums([], 0, 1, 3)
    assert not counts.any() and not totals.any()
    assert sums([batch([(0, "a", 1.0, None)]).slice(0, 0)]) == ([0] * 10, [0] * 10)

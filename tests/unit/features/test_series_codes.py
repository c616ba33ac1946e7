"""Codes of names depend on the rows alone, not on the dictionaries that carry them."""

from __future__ import annotations

import copy
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.features.series import Interner

names = st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=6)


def coded(rows: list[str | None], dictionary: list[str]) -> pa.DictionaryArray:
    indices = pa.array([None if row is None else dictionary.index(row) for row in rows], pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(dictionary, pa.string()))


@settings(max_examples=150, deadline=None)
@given(st.lists(names, max_size=8), st.sampled_from([2, 5, 100]), st.sampled_from(["grows", "whole", "turns", "own"]))
def test_a_dictionary_that_lasts_gives_the_codes_of_fresh_ones(
    batches: list[list[str | None]], limit: int, kind: str
) -> None:
    lasting, fresh, dictionary = Interner(limit), Interner(limit), list[str]()
    for place, rows in enumerate(batches):
        dictionary += [row for row in dict.fromkeys(rows) if row is not None and row not in dictionary]
        carried = {
            "grows": list(dictionary),
            "whole": list("abcdefgh"),
            "turns": list("abcdefgh"[::-1] if place % 2 else "abcdefgh"),
            "own": list(dict.fromkeys(row for row in rows if row is not None)),
        }[kind]
        expected = [fresh.encode(pa.array([row], pa.string()).dictionary_encode()).tolist() for row in rows]
        assert lasting.encode(coded(rows, carried)).tolist() == [code for codes in expected for code in codes]
    assert lasting.names == fresh.names


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_goes_on_by_itself(duplicate) -> None:
    first = Interner(10)
    first.encode(coded(["a", "b"], ["a", "b"]))
    second = duplicate(first)
    assert second.encode(coded(["b", "c"], ["a", "b", "c"])).tolist() == [2, 3]
    assert first.encode(coded(["d"], ["a", "b", "d"])).tolist() == [3]


def test_names_that_no_row_has_get_no_code() -> None:
    interner = Interner(10)
    interner.encode(coded(["b"], ["a", "b", "c"]))
    assert interner.names == ["__other__", "b"]

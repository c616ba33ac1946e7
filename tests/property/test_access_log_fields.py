"""Lines cut at their quotes give what a search in the whole line gives, whatever stands in them."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.collect.access_log.formats import FORMATS
from aiops_nb.collect.access_log.pattern import line_pattern
from aiops_nb.collect.access_log.readers.fields import PatternFields

PATTERNS = (
    *(FORMATS[name].text for name in ("common", "combined", "timed", "main")),
    '"$request_uri" $msec',
    '$msec|$http_x"$status"',
    "$request $msec",
)
GOOD = '10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a/7?b HTTP/1.1" 200 12'
PIECES = st.sampled_from(
    [
        GOOD,
        f'{GOOD} "-" "agent"',
        f'{GOOD} "-" "agent" 0.1',
        '"',
        '\\"',
        "\\",
        " ",
        "GET",
        "GET /",
        "[",
        "]",
        "-",
        "1",
        "\xff",
        "|",
    ]
)
BYTES = st.lists(PIECES, max_size=8).map(lambda pieces: "".join(pieces).replace("\n", " ").encode("latin-1"))


@pytest.mark.parametrize("pattern", PATTERNS)
@given(texts=st.lists(BYTES, max_size=6), ends=st.booleans())
def test_as_if_searched_whole(pattern: str, texts: list[bytes], ends: bool) -> None:
    lines = pa.array([text + b"\n" * ends for text in texts], pa.binary())
    compiled = line_pattern(pattern)
    cut, places = PatternFields(compiled).extract(lines)
    whole, same_places = PatternFields(dataclasses.replace(compiled, segments=())).extract(lines)
    assert places.tolist() == same_places.tolist()
    assert set(cut) == set(whole)
    for name, column in whole.items():
        assert cut[name].fill_null(b"").to_pylist() == column.to_pylist(), name


@pytest.mark.parametrize("name", ["common", "combined", "timed", "main"])
def test_common_lines_take_the_quick_way(name: str) -> None:
    more = {"common": "", "combined": ' "-" "a"', "timed": ' "-" "a" 0.250', "main": ' "-" "a" "-"'}
    only_cut = dataclasses.replace(line_pattern(FORMATS[name].text), expression="^nothing$", loose="")
    _, positions = PatternFields(only_cut).extract(pa.array([f"{GOOD}{more[name]}\n".encode()]))
    assert positions.tolist() == [0], "a search in whole lines takes three times as long"

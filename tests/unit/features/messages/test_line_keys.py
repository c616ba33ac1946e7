"""Keys of lines: what they keep and what they cut."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aiops_nb.features.messages.line_keys import line_keys

CASES = {
    "": "",
    "no number": "no number",
    "17": "0",
    "a 17": "a 0",
    "3.25ms": "0.0",
    "ssh2 tty12 Slf4jLogger": "ssh2 tty12 Slf4jLogger",
    "blk_7 job_12_a": "0 0",
    "a64f992 node1234": "0 0",
    "0xdeadbeef,7f": "0,0",
    "größe7 über1234x": "größe7 0",
    "\x00tab\there\x1b[31m": " tab here [0",
    "first 1\nsecond 2": "first 0",
}


@pytest.mark.parametrize(("text", "key"), CASES.items())
def test_key(text: str, key: str) -> None:
    """A key keeps words and cuts numbers and identifiers."""
    assert line_keys(pa.array([text])).to_pylist() == [key]


def test_neighbours_do_not_matter() -> None:
    """A line has the same key alone, among others, and in a slice: no run crosses the end of a line."""
    texts = pa.array([*CASES, "x", "", "1", "y2", "3"])
    whole = line_keys(texts).to_pylist()
    assert whole == [line_keys(pa.array([text])).to_pylist()[0] for text in texts.to_pylist()]
    for at in range(len(texts)):
        assert line_keys(texts.slice(at)).to_pylist() == whole[at:]


def test_keys_are_valid_text() -> None:
    """No character of several bytes is cut in two."""
    keys = line_keys(pa.array(["é1é22é333é", "日本1234語", "\U0001f6001"]))
    keys.validate(full=True)
    assert keys.to_pylist() == ["0", "0", "\U0001f6001"]

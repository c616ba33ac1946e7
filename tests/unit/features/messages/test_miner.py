"""Templates from a stream: ids, counts, merges, limits."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from aiops_nb.features.messages.miner import NO_TEMPLATE, TemplateMiner
from aiops_nb.features.messages.template_tree import template_of

NAMES = ["ann", "bob", "eve", "joe", "kim", "lou", "max"]


def stream(seed: int, rows: int = 400) -> list[str]:
    """Lines of a few statements with names and numbers, and rare ones."""
    draw = random.Random(seed)
    makers = [
        lambda: f"session opened for user {draw.choice(NAMES)} by (uid={draw.randrange(9)})",
        lambda: f"session closed for user {draw.choice(NAMES)}",
        lambda: (
            f"took {draw.random():.3f} ms for {draw.choice(NAMES)} at {draw.choice(NAMES)} in zone {draw.choice('abc')}"
        ),
        lambda: f"state={draw.choice(NAMES)} tty={draw.choice(NAMES)}",
        lambda: draw.choice(["flush", "restart.", "", "only once\n  at x", "worker started", "worker stopped"]),
        lambda: f"GET /{draw.choice(NAMES)}/{draw.randrange(10**6)} from 10.0.0.{draw.randrange(250)}",
    ]
    return [draw.choice(makers)() for _ in range(rows)]


def mine(lines: list[str], cuts: list[int], **options: int) -> tuple[list[int], TemplateMiner]:
    """Numbers of all lines, mined in batches."""
    miner, numbers = TemplateMiner(**options), []
    for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        numbers += miner.add(pa.array(lines[begin:end], pa.string())).tolist()
    return numbers, miner


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("limit", [10_000, 15])
def test_any_cut_gives_the_same(seed: int, limit: int) -> None:
    """Single rows, random batches and one batch give the same numbers, templates, merges and counts."""
    lines = stream(seed)
    whole, one = mine(lines, [], limit=limit)
    draw = random.Random(seed)
    for cuts in (list(range(1, len(lines))), sorted(draw.sample(range(1, len(lines)), 9))):
        numbers, other = mine(lines, cuts, limit=limit)
        assert numbers == whole
        assert other.templates == one.templates
        assert other.merges == one.merges
        assert other.counts.tolist() == one.counts.tolist()
        assert other.unassigned_total == one.unassigned_total


@pytest.mark.parametrize("seed", range(6))
def test_a_forgotten_dictionary_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dictionary of keys is a short cut: with almost none the numbers are the same."""
    lines = stream(seed)
    whole, _ = mine(lines, [])
    monkeypatch.setattr("aiops_nb.features.messages.miner.MOST_KEY_BYTES", 300)
    assert mine(lines, list(range(7, len(lines), 7)))[0] == whole


@pytest.mark.parametrize("seed", range(6))
def test_counts_add_up(seed: int) -> None:
    """Every line has a template or is counted as without one; merges move no line twice."""
    lines = stream(seed)
    for limit in (10_000, 12):
        numbers, miner = mine(lines, [100, 250], limit=limit)
        assert miner.counts.sum() + miner.unassigned_total == len(lines) == miner.lines_total
        assert len(miner.templates) <= limit
        assert numbers.count(NO_TEMPLATE) == miner.unassigned_total
        assert (
            np.bincount([n for n in numbers if n >= 0], minlength=len(miner.counts)).tolist() == miner.counts.tolist()
        )


def test_a_merge_is_an_item_of_the_stream() -> None:
    """Lines before it keep their template, those from its row on have the new one, and ids never change meaning."""
    lines = [f"session closed for user {name}" for name in ("ann", "bob", "ann", "eve", "ann", "joe")]
    numbers, miner = mine(lines, [])
    assert numbers == [0, 1, 0, 3, 3, 3]
    assert [(merge.row, merge.merged, merge.into) for merge in miner.merges] == [(3, 0, 3), (3, 1, 3), (3, 2, 3)]
    assert miner.templates[0] == template_of("session closed for user ann")
    assert miner.templates[3] == template_of("session closed for user <*>")
    assert [miner.current(number) for number in numbers] == [3] * 6


def test_a_rare_template_is_never_dropped() -> None:
    """One line among many keeps its template and its count."""
    lines = ["disk failure imminent", *(f"word{i} {'x' * (i % 50)} tail {i}" for i in range(2_000))]
    numbers, miner = mine(lines, [1, 500], limit=300)
    again = miner.add(pa.array(["disk failure imminent"])).tolist()
    assert again == [numbers[0]]
    assert miner.counts[numbers[0]] == 2


def test_two_values_do_not_make_a_parameter() -> None:
    """What was started and what was stopped stay apart; names after `=` and bare numbers in names do not."""
    _, miner = mine(
        ["worker pool started", "worker pool stopped", "tty=a b", "tty=c b", "eth1 is up", "eth2 is up"], []
    )
    live = {miner.templates[miner.current(n)].text for n in range(len(miner.templates))}
    assert live == {"worker pool started", "worker pool stopped", "tty=<*> b", "<*> is up"}


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "\x00\x01\x02", "\x1b[2J", "<*> <*>", "\ud7ff￿"])
def test_text_from_outside_is_data(text: str) -> None:
    """Markup, control characters and our own marker are lines like others."""
    numbers, miner = mine([text, text], [1])
    assert numbers == [0, 0]
    assert not any(ord(letter) < 32 for letter in miner.templates[0].text)

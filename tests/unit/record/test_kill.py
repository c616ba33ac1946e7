"""kill -9 at random moments: no acknowledged row is lost, and the next opening says what it repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kill_test import KillRun, kill_once, table


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_acknowledged_row_is_lost(seed: int, tmp_path: Path) -> None:
    run = kill_once(seed, tmp_path / "recording")
    assert run.lost_rows == 0
    assert run.acknowledged_items > 0
    assert 0 <= run.found_items - run.acknowledged_items <= 1
    assert run.repairs or not run.cut_bytes  # killed between two segments, there is nothing to repair


def test_the_table_shows_what_went_wrong() -> None:
    run = KillRun(
        seed=7,
        acknowledged_items=2,
        acknowledged_rows=30,
        found_items=1,
        lost_rows=10,
        sealed_files=0,
        cut_bytes=5,
        repairs=(),
    )
    assert table([run]).splitlines()[2:] == [
        "| 7 | 2 | 30 | 1 | 10 | 0 | 5 | NO |",
        "| all | 2 | 30 | 1 | 10 | 0 | 5 | 0 of 1 |",
    ]

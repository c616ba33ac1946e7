"""Mutants that tests must kill are killed, one that no test can see survives, and the files are as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation import ROOMS, mutants, outcome_of, sample

SOURCE = '''"""A room.

>>> doubled(4)
8
"""

unused = 7


def doubled(number: int) -> int:
    return number * 2
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "tests" / "unit" / "room").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--doctest-modules'\n")
    (tmp_path / "room.py").write_text(SOURCE)
    return tmp_path


@pytest.mark.parametrize(
    ("operator", "line", "outcome"), [("Mult -> FloorDiv", 11, "killed"), ("number + 1", 7, "survived")]
)
def test_a_mutant_is_killed_by_a_doctest_or_survives(copy: Path, operator: str, line: int, outcome: str) -> None:
    (chosen,) = [one for one in mutants(Path("room.py"), SOURCE) if (one.operator, one.line) == (operator, line)]
    assert outcome_of(chosen, copy, "room") == outcome
    assert (copy / "room.py").read_text() == SOURCE


def test_the_sample_is_that_of_its_seed_and_each_mutant_compiles() -> None:
    first, again = ([next(drawn) for _ in range(3)] for drawn in (sample(("alert",), 3), sample(("alert",), 3)))
    assert first == again and ROOMS == ("engine", "rules", "alert", "features", "detect")
    for _, mutant in first:
        compile(mutant.source, str(mutant.path), "exec")

"""Mutants that tests must kill are killed, one that no test can see survives, and the files are as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation.__main__ import ROOMS, table
from benchmarks.mutation.changes import Mutant, mutants, sample
from benchmarks.mutation.trial import Reach, outcome_of

SOURCE = '''"""A room.

>>> doubled(4)
8
"""

unused = 7


def doubled(number: int) -> int:
    return number * 2


class Box:
    def halves(self) -> int:
        return doubled(1) // 4
'''
TEST = "from aiops_nb.room import doubled\n\ndef test_doubled():\n    assert doubled(0) == 0\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--doctest-modules'\n")
    (folder / "aiops_nb").mkdir()
    (folder / "aiops_nb" / "__init__.py").touch()
    (folder / "aiops_nb" / "room.py").write_text(SOURCE)
    (folder / "test_room.py").write_text(TEST)
    return folder


@pytest.fixture(scope="module")
def reach(copy: Path) -> Reach:
    return Reach.measured(copy, ["aiops_nb", "test_room.py"])


def one_of(operator: str, line: int) -> Mutant:
    found = mutants(Path("aiops_nb/room.py"), SOURCE)
    (chosen,) = [one for one in found if (one.operator, one.line) == (operator, line)]
    return chosen


def test_the_tests_that_enter_a_function_are_known(reach: Reach) -> None:
    tests = {"aiops_nb/room.py::aiops_nb.room", "test_room.py::test_doubled"}
    assert set(reach.tests_of(one_of("Mult -> FloorDiv", 11))) == tests
    assert set(reach.tests_of(one_of("number + 1", 7))) == tests  # outside of any function: those of the file
    assert one_of("FloorDiv -> Mult", 16).function == "Box.halves"
    assert reach.tests_of(one_of("FloorDiv -> Mult", 16)) == []


@pytest.mark.parametrize(
    ("operator", "line", "outcome"),
    [("Mult -> FloorDiv", 11, "killed"), ("number + 1", 7, "survived"), ("FloorDiv -> Mult", 16, "survived")],
)
def test_a_mutant_is_killed_by_a_doctest_or_survives(
    copy: Path, reach: Reach, operator: str, line: int, outcome: str
) -> None:
    mutant = one_of(operator, line)
    assert outcome_of(mutant, copy, reach.tests_of(mutant)) == outcome
    assert (copy / "aiops_nb" / "room.py").read_text() == SOURCE


def test_the_sample_is_that_of_its_seed_and_each_mutant_compiles() -> None:
    first, again = ([next(drawn) for _ in range(3)] for drawn in (sample(("alert",), 3), sample(("alert",), 3)))
    assert first == again and "alert" in ROOMS
    for _, mutant in first:
        compile(mutant.source, str(mutant.path), "exec")


def test_the_table_has_a_row_for_each_room_and_one_for_all() -> None:
    results = [{"room": "alert", "outcome": "killed"}] * 17 + [{"room": "rules", "outcome": "survived"}] * 3
    assert table(results).splitlines()[2:] == [
        "| alert | 17 | 17 | 0 | 100.0% | 81.6% to 100.0% |",
        "| rules | 3 | 0 | 3 | 0.0% | 0.0% to 56.2% |",
        "| all | 20 | 17 | 3 | 85.0% | 64.0% to 94.8% |",
    ]

"""The page on detectors names every one of them, with its parameters, and holds the tables that it announces."""

from __future__ import annotations

import re

import msgspec
import pytest

from aiops_nb.detect.registry import ALGORITHMS, FOR_RULES, detectors
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "detectors.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "docs" / "explanation" / "detector-benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_detector_has_a_row_and_its_parameters_are_told(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE)
    assert [one for one in msgspec.structs.fields(ALGORITHMS[name].params) if f"`{one.name}`" not in PAGE] == []


@pytest.mark.parametrize("table", ["overview", "nab", "faults", "fleet", "kpi", "real", "changepoint"])
def test_a_benchmark_table_is_there(table: str) -> None:
    begin, _, rest = BENCHMARKS.partition(f"<!-- {table} -->")
    assert begin and "| detector |" in rest.partition(f"<!-- end {table} -->")[0]


def test_all_are_listed() -> None:
    assert list(detectors().index) == [*ALGORITHMS, *FOR_RULES]


@pytest.mark.parametrize("name", FOR_RULES)
def test_a_detector_for_rules_is_told_too(name: str) -> None:
    assert f"`{name}`" in PAGE
    assert [one for one in msgspec.structs.fields(FOR_RULES[name][0]) if f"`{one.name}`" not in PAGE] == []

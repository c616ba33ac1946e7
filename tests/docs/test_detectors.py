"""The page on detectors names every one of them, with its parameters, and holds the tables that it announces."""

from __future__ import annotations

import re

import msgspec
import pytest

from aiops_nb.detect.registry import DETECTORS, STREAMING, detectors
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "detectors.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "docs" / "explanation" / "detector-benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STREAMING)
def test_a_detector_has_a_row_and_its_parameters_are_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE)
    assert [one for one in msgspec.structs.fields(STREAMING[name].params) if f"`{one.name}`" not in PAGE] == []


@pytest.mark.parametrize("table", ["overview", "nab", "faults", "fleet", "kpi", "real", "changepoint"])
def test_a_benchmark_table_is_there(table: str) -> None:
    begin, _, rest = BENCHMARKS.partition(f"<!-- {table} -->")
    assert begin and "| detector |" in rest.partition(f"<!-- end {table} -->")[0]


def test_all_are_listed() -> None:
    assert list(detectors().index) == list(DETECTORS)


@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in STREAMING])
def test_a_detector_for_rules_is_documented_too(name: str) -> None:
    assert f"`{name}`" in PAGE
    assert [one for one in msgspec.structs.fields(DETECTORS[name].params) if f"`{one.name}`" not in PAGE] == []

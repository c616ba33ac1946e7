"""docs/reference/columns.md says what the code does."""

import re

import pytest

from aiops_nb.core.schemas import TABLES
from aiops_nb.features.horizons import STATISTICS
from aiops_nb.features.requests.features import request_features
from aiops_nb.features.requests.objectives import OBJECTIVE_FEATURES
from aiops_nb.features.requests.overall import OVERALL_FEATURES
from aiops_nb.report.columns import NAMINGS, OTEL_METRICS
from tests.paths import ROOT

DOCS = (ROOT / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0]: part for part in DOCS.split("\n## ")[1:]}


def rows(section):
    """Cells of each table row, without back quotes."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("table", ["requests", "samples"])
def test_every_column_is_described_in_order(table):
    described = [cells[0] for cells in rows(table) if len(cells) == 4]
    assert described == [name for name in TABLES[table].names if name != "seq"]


@pytest.mark.parametrize("table", ["requests", "samples"])
@pytest.mark.parametrize(("naming", "column"), [("otel", 2), ("prometheus", 3)])
def test_the_names_are_those_that_export_writes(table, naming, column):
    described = {cells[0]: cells[column] for cells in rows(table) if len(cells) == 4 and cells[column]}
    assert described == dict(NAMINGS[naming][table])


def test_the_metrics_are_those_that_export_writes():
    assert {cells[0]: cells[1] for cells in rows("samples") if len(cells) == 2} == dict(OTEL_METRICS)


def test_every_feature_of_requests_is_described():
    described = [cells[0] for cells in rows("features of requests")]
    assert described == [*request_features(()), *STATISTICS]
    first, last = (described.index(name) for name in ("count", "silent_seconds"))
    assert tuple(described[first : last + 1]) == OVERALL_FEATURES


def test_every_feature_of_objectives_is_described():
    section = SECTIONS["features of slo"]
    assert [cells[0] for cells in rows("features of slo")] == [
        "error_ratio_300s",
        "request_count_300s",
        "history_seconds",
    ]
    assert all(f"`{name.rpartition('_')[2]}`" in section or name in section for name in OBJECTIVE_FEATURES)

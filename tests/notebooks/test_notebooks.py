"""The rules for notebooks, and each of them run by papermill without a browser."""

from __future__ import annotations

import ast
import json
import re

import nbformat
import papermill
import pytest

from tests.paths import ROOT

PROGRESS = re.compile(r"(?:\r\w+: (?:\d+\s?%|done)\s*)+")  # of work that takes longer on a busy machine
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While, ast.Try, ast.TryStar)
MAX_CODE_LINES = 10

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def python_of(cell):
    return ast.parse("\n".join(line for line in source(cell).splitlines() if not line.startswith("%")))


def parameters(path):
    return [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]


def test_it_begins_with_a_title_and_prose(path):
    first = read(path)["cells"][0]
    assert first["cell_type"] == "markdown"
    title, _, prose = source(first).partition("\n")
    assert title.startswith("# ")
    assert len(prose.split()) >= 20


def test_one_cell_holds_the_parameters_defaults_only(path):
    (cell,) = parameters(path)
    for statement in python_of(cell).body:
        assert isinstance(statement, ast.Assign | ast.AnnAssign)
        ast.literal_eval(statement.value)


def test_every_parameter_is_used(path):
    (cell,) = parameters(path)
    names = {target.id for statement in python_of(cell).body for target in statement.targets}
    later = "\n".join(source(other) for other in code_cells(path) if other is not cell and other != cell)
    assert [name for name in names if not re.search(rf"\b{name}\b", later)] == []


def test_a_code_cell_is_short_and_only_calls_the_package(path):
    for cell in code_cells(path):
        lines = [line for line in source(cell).splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) <= MAX_CODE_LINES, source(cell)
        found = [type(node).__name__ for node in ast.walk(python_of(cell)) if isinstance(node, FORBIDDEN)]
        assert not found, source(cell)


def test_nothing_that_ran_is_stored(path):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells(path))
    assert "widgets" not in read(path)["metadata"]
    assert read(path)["metadata"]["kernelspec"]["name"] == "python3"


def test_it_is_valid_and_says_nothing_of_a_machine(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/root/|/Users/|/work/|C:\\\\", text)


def test_restart_and_run_all_works_without_a_browser(path, tmp_path):
    executed = papermill.execute_notebook(
        path,
        tmp_path / path.name,
        cwd=tmp_path,
        kernel_name="python3",
        progress_bar=False,
        execution_timeout=90,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    said = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert [text for text in said if not PROGRESS.fullmatch(text)] == []
    assert any("text/html" in output.get("data", {}) for output in outputs)

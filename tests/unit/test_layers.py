"""The floors of the house, proven from the imports: who may know whom, and where each heavy dependency lives."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "aiops_nb"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    "core": 0,
    "collect": 1,
    "features": 1,
    "detect": 1,
    "alert": 1,
    "record": 1,
    "judge": 3,
    "rules": 2,
    "lanes": 4,
    "commands": 5,
    "pipeline": 5,
    "pipeline_params": 3,
    "framed": 6,
    "frames": 6,
    "joining": 6,
    "judged_rows": 6,
    "live_run": 6,
    "monitor": 6,
    "poller": 6,
    "notebook_cell": 6,
    "objective_history": 7,
    "recording_stopped": 6,
    "rejections": 6,
    "replay_run": 6,
    "rule_features": 6,
    "run": 6,
    "self_observation": 6,
    "step_store": 6,
    "time_range": 6,
    "timed_values": 6,
    "config": 6,
    "plan": 7,
    "recording": 7,
    "rule_check": 7,
    "scoring": 7,
    "session": 7,
    "synthetic_session": 7,
    "targets": 7,
    "ticked": 6,
    "view": 8,
    "tune": 8,
    "report": 8,
    "demo": 8,
    "cli": 9,
    "__init__": 10,
    "__main__": 10,
}
# (importing module, imported room): why it may look up.
UPWARD = {
    ("aiops_nb.monitor", "view"): "monitor.dashboard() is a door; the view is loaded when it is called",
}
# Where a heavy dependency may be imported at all, inside functions too.
HOMES: dict[str, set[str]] = {
    "IPython": {"view"},
    "anywidget": {"view"},
    "bokeh": {"view", "report"},  # a report draws its own static figures
    "filelock": {"record"},
    "ipywidgets": {"view"},
    "jupyterlab": {"cli"},
    "jupyter_server": {"view"},  # the extension that serves BokehJS
    "nbconvert": {"report"},
    "nbformat": {"report"},
    "papermill": {"report"},
    "psutil": {"collect"},
    "pycurl": {"collect"},
    "requests": {"collect"},
    "ruptures": {"detect"},
    "scipy": {"detect"},
    "sklearn": {"detect"},
    "tornado": {"view"},
    "traitlets": {"report", "view"},
    "urllib3": {"collect"},
    "websockets": {"collect"},
    "yaml": {"config"},
}
ALLOWED_LIGHT = {"msgspec", "numpy", "pandas", "pyarrow", "aiops_nb"}
LAZY = (
    "bokeh",
    "ipywidgets",
    "anywidget",
    "papermill",
    "nbconvert",
    "sklearn",
    "scipy",
    "pandas",
    "IPython",
    "requests",
)


def dotted(path: Path) -> str:
    """The module's dotted name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Dotted names of everything that a file imports, at its top or inside a function."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return (*plain, *(f"{node.module}.{alias.name}" for node in froms for alias in node.names))


def room_of(module: str) -> str:
    """First name below the package: a folder or a file."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__"


def may_import(importer: str, imported: str) -> bool:
    """Lower floors, one's own folder; files that share a floor share the package's folder."""
    here, there = room_of(importer), room_of(imported)
    both_files = not (PACKAGE / here).is_dir() and not (PACKAGE / there).is_dir()
    lower = FLOORS[there] < FLOORS[here]
    return here == there or lower or (both_files and FLOORS[here] == FLOORS[there]) or (importer, there) in UPWARD


def test_every_file_and_folder_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_imports_only_lower_floors_and_its_own_folder(path: Path) -> None:
    importer = dotted(path)
    ours = [name for name in imports(path) if name.startswith("aiops_nb.") and name != "aiops_nb.__version__"]
    upward = [name for name in ours if not may_import(importer, name)]
    assert not upward, f"{importer} (floor {FLOORS[room_of(importer)]}) imports {upward}"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_heavy_dependency_stays_in_its_room(path: Path) -> None:
    room = room_of(dotted(path))
    astray = [name for name in imports(path) if room not in HOMES.get(name.split(".")[0], {room})]
    assert not astray, f"{dotted(path)} imports {astray}; see HOMES"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_dependency_is_known(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    unknown = tops - set(sys.stdlib_module_names) - HOMES.keys() - ALLOWED_LIGHT
    assert not unknown, f"{dotted(path)} imports {unknown}: declare it in pyproject.toml, and its room in HOMES"


def test_the_written_exceptions_are_all_needed() -> None:
    used = {(dotted(path), room_of(name)) for path in MODULES for name in imports(path)}
    assert UPWARD.keys() <= used


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text("def f():\n    from aiops_nb.view import store\n    import bokeh.plotting\n", encoding="utf-8")
    assert sorted(imports(source)) == ["aiops_nb.view.store", "bokeh.plotting"]
    assert not may_import("aiops_nb.detect.ewma", "aiops_nb.view.store")
    assert not may_import("aiops_nb.detect.ewma", "aiops_nb.record.format")
    assert may_import("aiops_nb.pipeline", "aiops_nb.detect.ewma")


@pytest.mark.parametrize(
    "statement", ["import aiops_nb", "import aiops_nb; aiops_nb.watch; aiops_nb.replay", "import aiops_nb.cli.parser"]
)
def test_importing_brings_nothing_heavy(statement: str) -> None:
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(LAZY)

"""The floors of the house, proven from the imports: who may know whom, and where each heavy dependency lives."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "aiops_nb"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    "_version": 0,
    "kernel": 0,  # decides whether compiled code is used; every room may ask
    "core": 1,
    "alert": 2,
    "collect": 2,
    "demo": 2,
    "detect": 2,
    "features": 2,
    "moved": 2,  # which series left their baseline: mathematics on arrays, asked by frames
    "notify": 2,
    "preprocess": 2,
    "record": 2,
    "view": 2,
    "rules": 3,
    "testing": 3,
    "engine": 4,
    "frames": 4,
    "offline": 4,
    "config": 5,
    "monitor": 5,
    "session": 6,
    "report": 7,
    "serve": 7,  # the dashboard outside of Jupyter: widgets over a socket of its own
    "tune": 7,
    "cli": 8,
    "__init__": 9,
}
PURE = ("kernel", "core", "features", "preprocess", "detect", "alert", "moved", "rules", "engine")
MOST_FILES = 17
MORE_FILES = {"cli/commands": 24}  # a file each command: to find one is to read its name
# Where a heavy dependency may be imported at all, inside functions too.
HOMES: dict[str, set[str]] = {
    "IPython": {"view"},
    "PIL": {"notify"},
    "anywidget": {"view"},
    "apprise": {"notify"},
    "bokeh": {"view", "report"},  # a report draws its own static figures
    "comm": {"serve"},
    "cronsim": {"collect"},
    "filelock": {"record", "report"},  # one writer of a recording, one run of a schedule
    "idna": {"collect"},
    "ipywidgets": {"view"},
    "jinja2": {"frames", "monitor", "notify", "report", "view"},  # monitor: the page on which alerts are answered
    "jupyterlab": {"cli"},
    "jupyter_server": {"view"},  # the extension that serves BokehJS
    "markupsafe": {"report"},
    "nbclient": {"report"},  # papermill runs cells by it
    "nbconvert": {"report"},
    "nbformat": {"report"},
    "papermill": {"report"},
    "prometheus_client": {"monitor"},
    "platformdirs": {"offline", "record"},  # where what was compiled or derived is kept
    "psutil": {"collect"},
    "pytest": {"testing"},
    "pycurl": {"collect"},
    "requests": {"collect", "notify"},
    "river": {"detect"},
    "ruamel": {"config"},
    "ruptures": {"offline"},
    "scipy": {"detect"},
    "shtab": {"cli"},
    "sklearn": {"detect", "offline"},
    "tornado": {"monitor", "serve", "view"},  # monitor: as above
    "traitlets": {"report", "view"},
    "urllib3": {"collect"},
    "websockets": {"collect"},
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
    """Lower floors, and one's own folder."""
    here, there = room_of(importer), room_of(imported)
    return here == there or FLOORS[there] < FLOORS[here]


def test_every_file_and_folder_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_imports_only_lower_floors_and_its_own_folder(path: Path) -> None:
    importer = dotted(path)
    ours = [name for name in imports(path) if name.startswith("aiops_nb.")]
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


def test_the_root_holds_no_loose_modules() -> None:
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == ["__init__.py", "_version.py"]


def test_no_folder_is_crowded() -> None:
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in MODULES}
    counts = {folder: len(list((PACKAGE / folder).glob("*.py"))) for folder in folders}
    crowded = {folder: count for folder, count in counts.items() if count > MORE_FILES.get(folder, MOST_FILES)}
    assert not crowded


CLOCKS = {"time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "now", "utcnow", "today"}


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[len(PACKAGE.parts)] in PURE], ids=dotted)
def test_what_is_pure_reads_no_clock_and_starts_no_thread(path: Path) -> None:
    if path == PACKAGE / "core" / "clock.py":
        return  # where the clock is
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = {"time", "datetime", "date"}
    calls = [
        node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    reads = [call.attr for call in calls if call.attr in CLOCKS and getattr(call.value, "id", "") in owners]
    threads = [
        name for name in imports(path) if name.split(".")[0] in {"threading", "queue", "asyncio", "multiprocessing"}
    ]
    assert not reads and not threads, f"{dotted(path)}: {reads or threads}"


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text(
        "def f():\n    from aiops_nb.view.data import store\n    import bokeh.plotting\n", encoding="utf-8"
    )
    assert sorted(imports(source)) == ["aiops_nb.view.data.store", "bokeh.plotting"]
    assert not may_import("aiops_nb.detect.kernels.ewma", "aiops_nb.view.data.store")
    assert not may_import("aiops_nb.detect.kernels.ewma", "aiops_nb.record.format")
    assert may_import("aiops_nb.engine.pipeline", "aiops_nb.detect.kernels.ewma")


@pytest.mark.parametrize(
    "statement", ["import aiops_nb", "import aiops_nb; aiops_nb.watch; aiops_nb.replay", "import aiops_nb.cli.parser"]
)
def test_importing_brings_nothing_heavy(statement: str) -> None:
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(LAZY)

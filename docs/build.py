"""Build the documentation site: execute the notebooks, then run Sphinx with warnings as errors.

python docs/build.py [--out build/docs] [--skip-notebooks]

The sources are copied to build/docs-source first, because Sphinx writes the pages of the API next to them. Executed
notebooks are kept there and executed again only if they or the package changed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "build" / "docs-source"
COPIED = (
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "environment.yml",
    "aiops_nb/config/example.yaml",
)
# Modules on the page of the API: what it says of each. The names are those of `__all__`, or the ones given.
API = {
    "aiops_nb": "Monitoring, replay and detection",
    "aiops_nb.collect": "Collectors",
    "aiops_nb.notify": "Notifications",
    "aiops_nb.tune": "Tuning",
    "aiops_nb.report": "Reports and export",
    "aiops_nb.demo": "Demo service",
    "aiops_nb.core.protocols": "Protocols for your own collectors, detectors and sinks",
    "aiops_nb.testing.collectors": "Contract tests of collectors",
    "aiops_nb.testing.detectors": "Contract tests of detectors",
}
API_HEAD = """API
===

The public names, from their docstrings. Shapes of arrays are in parentheses: ``(n,)`` is one value per series or row.
NaN means unknown, times are UTC.
"""
PARAMETERS = {"01_live_monitor": {"run_seconds": 60}}


def main() -> int:
    """Build the site and return Sphinx's exit code."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs")
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder for the copied sources")
    parser.add_argument("--skip-notebooks", action="store_true", help="show the notebooks without outputs")
    args = parser.parse_args()
    copy(args.source)
    page = args.source / "docs" / "reference" / "api.rst"
    if not page.exists() or page.read_text(encoding="utf-8") != api_page():
        page.write_text(api_page(), encoding="utf-8")
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        executed = args.source / "notebooks" / notebook.name
        executed.parent.mkdir(exist_ok=True)
        if args.skip_notebooks:
            shutil.copy2(notebook, executed)
        elif not executed.exists() or executed.stat().st_mtime < newest(notebook):
            execute(notebook, executed)
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-j",
        "auto",
        "-c",
        str(args.source / "docs"),
    ]
    return subprocess.call([*command, str(args.source), str(args.out)])


def copy(source: Path) -> None:
    """Copy the pages; unchanged files keep their times, so that Sphinx reads only what changed."""
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, source / name)


def api_page() -> str:
    """Return the page that lists all public names, for autosummary."""
    parts = [API_HEAD]
    for module, title in API.items():
        names = "\n".join(f"   {name}" for name in public_names(module))
        parts.append(f"{title}\n{'-' * len(title)}\n\n.. currentmodule:: {module}\n")
        parts.append(f".. autosummary::\n   :toctree: generated\n\n{names}\n")
    return "\n".join(parts)


def public_names(module: str) -> Iterator[str]:
    """Yield the classes and functions of `__all__`, or without one those that the module defines."""
    loaded = import_module(module)
    for name in getattr(loaded, "__all__", sorted(vars(loaded))):
        value = getattr(loaded, name)
        defined = hasattr(loaded, "__all__") or getattr(value, "__module__", "") == module
        if callable(value) and defined and not name.startswith("_"):
            yield name


def newest(notebook: Path) -> float:
    """Return when the notebook or the package last changed, in seconds since 1970."""
    return max(path.stat().st_mtime for path in [notebook, *(ROOT / "aiops_nb").rglob("*.py")])


def execute(notebook: Path, executed: Path) -> None:
    """Run a notebook without a browser; its figures become static."""
    import papermill

    print(f"executing {notebook.name}", file=sys.stderr)
    parameters = PARAMETERS.get(notebook.stem, {})
    papermill.execute_notebook(
        notebook, executed, parameters, cwd=executed.parent, progress_bar=False, kernel_name="python3"
    )


if __name__ == "__main__":
    raise SystemExit(main())

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
PARAMETERS = {"01_live_monitor": {"run_seconds": 60}}


def main() -> int:
    """Build the site and return Sphinx's exit code."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs")
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder for the copied sources")
    parser.add_argument("--skip-notebooks", action="store_true", help="show the notebooks without outputs")
    args = parser.parse_args()
    copy(args.source)
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

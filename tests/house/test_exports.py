"""What a package says that it exports is there, and importing it stays cheap."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from tests.paths import ROOT

PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in (ROOT / "aiops_nb").rglob("__init__.py")
    if "__all__" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there_and_listed(package: str) -> None:
    module = import_module(package)
    assert all(hasattr(module, name) for name in module.__all__)
    assert set(module.__all__) - {"__version__"} <= set(dir(module))


def test_the_import_of_a_package_loads_none_of_its_modules() -> None:
    code = (
        "import sys, aiops_nb.collect.http, aiops_nb.monitor, aiops_nb.session, aiops_nb.offline; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"pycurl", "requests", "pandas", "aiops_nb.monitor.live", "aiops_nb.session.watch"})

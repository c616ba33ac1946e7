"""The package builds with a compiler and without one, and says which code computes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from aiops_nb import kernel
from tests.paths import ROOT

has_compiler = any(map(shutil.which, ("cc", "gcc", "clang")))
needs_compiler = pytest.mark.skipif(not has_compiler, reason="no C compiler is here")


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    clean = {name: value for name, value in os.environ.items() if name != kernel.VARIABLE}
    return subprocess.run(argv, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=120)


def modules_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if "_kernel." in name]


def ask(statement: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", statement]
    clean = {name: value for name, value in os.environ.items() if name != kernel.VARIABLE}
    return subprocess.run(argv, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=60)


@needs_compiler
def test_a_wheel_built_with_a_compiler_serves_every_later_python(tmp_path: Path) -> None:
    done = build(tmp_path, AIOPS_NB_KERNEL="require")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert "-cp311-abi3-" in wheel.name
    (name,) = modules_of(wheel)
    with zipfile.ZipFile(wheel) as archive:
        path = archive.extract(name, tmp_path)
    spec = spec_from_file_location("_kernel", path, loader=ExtensionFileLoader("_kernel", path))
    assert spec is not None and spec.loader is not None
    assert module_from_spec(spec).__name__ == "_kernel"
    assert "native/" not in "".join(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("environment", [{"CC": "/bin/false"}, {kernel.VARIABLE: "off"}], ids=["no compiler", "off"])
def test_a_wheel_built_without_a_compiler_is_pure_and_whole(tmp_path: Path, environment: dict[str, str]) -> None:
    done = build(tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert modules_of(wheel) == []
    assert (done.stdout + done.stderr).count("built without the compiled kernel") == 1


def test_a_build_that_requires_the_kernel_fails_without_a_compiler(tmp_path: Path) -> None:
    assert build(tmp_path, CC="/bin/false", AIOPS_NB_KERNEL="require").returncode != 0
    assert not list(tmp_path.glob("*.whl"))


def test_the_kernel_can_be_switched_off() -> None:
    done = ask("from aiops_nb import kernel; print(kernel.compiled, kernel.status())", AIOPS_NB_KERNEL="off")
    assert done.stdout == "None numpy (AIOPS_NB_KERNEL=off)\n"


def test_a_wrong_choice_is_refused() -> None:
    done = ask("from aiops_nb import kernel", AIOPS_NB_KERNEL="fast")
    assert "AIOPS_NB_KERNEL: expected auto, off, require, got 'fast'" in done.stderr


def test_a_kernel_of_other_sources_is_not_used(tmp_path: Path) -> None:
    if kernel.compiled is None:
        pytest.skip(kernel.status())
    shutil.copytree(ROOT / "aiops_nb" / "kernel", tmp_path / "aiops_nb" / "kernel")
    (tmp_path / "aiops_nb" / "__init__.py").touch()
    shutil.copytree(ROOT / "native", tmp_path / "native")
    with (tmp_path / "native" / "kernel.c").open("a") as file:
        file.write("// changed\n")
    done = ask("from aiops_nb import kernel; print(kernel.status())", tmp_path)
    assert done.stdout == "numpy (the compiled kernel is older than native/; run `make kernel`)\n"


@pytest.mark.skipif(kernel.VARIABLE in os.environ or "CI" not in os.environ, reason="elsewhere the kernel is optional")
def test_continuous_integration_has_the_kernel() -> None:
    assert kernel.status() == "compiled"

"""Compiles the kernel when the package is built; where no compiler is, the package is complete without it.

Hatch calls it for `pip install` (also `--editable`) and for wheels; `python native/build.py` compiles into a checkout.
The environment variable AIOPS_NB_KERNEL decides: `auto` goes on without a compiler, `off` does not compile, `require`
fails where the kernel cannot be compiled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
MODULE = "aiops_nb.kernel._kernel"
LIMITED_API = "0x030b0000"  # Python 3.11, the first whose limited API has Py_buffer: one build serves all later ones
# Contracted or reordered floating point would give other bits than numpy; the last flag wins over the interpreter's.
# Whole numbers wrap around as numpy's do.
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fno-fast-math", "-fwrapv", "-fvisibility=hidden", "-Wall", "-Wextra"]


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled kernel to a wheel, or to the checkout of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, or say once that the package is built without."""
        self._folder = Path(tempfile.mkdtemp(prefix="aiops-nb-kernel-"))
        built = compiled(self._folder, self.app.display_info)
        if built is None:
            return
        target = ROOT / "aiops_nb" / "kernel" / built.name
        if version == "editable":
            install(built, target)
            return
        build_data["force_include"][str(built)] = target.relative_to(ROOT).as_posix()
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the compiler left."""
        shutil.rmtree(self._folder, ignore_errors=True)


def compiled(folder: Path, say: Any = print) -> Path | None:
    """The compiled module in a folder; None where the package does without it."""
    choice = os.environ.get("AIOPS_NB_KERNEL", "auto")
    if choice == "off":
        say("aiops-nb: built without the compiled kernel (AIOPS_NB_KERNEL=off); numpy gives the same results")
        return None
    try:
        return _compile(folder)
    except Exception as problem:  # a compiler fails in as many ways as there are compilers
        if choice == "require":
            raise
        reason = str(problem).strip().splitlines() or [type(problem).__name__]
        say(f"aiops-nb: built without the compiled kernel ({reason[0]}); numpy gives the same results, more slowly")
        return None


def _compile(folder: Path) -> Path:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise RuntimeError("free-threaded Python has no limited API")
    from setuptools import Distribution, Extension

    extension = Extension(
        MODULE,
        [str(path) for path in sources() if path.suffix == ".c"],
        define_macros=[("Py_LIMITED_API", LIMITED_API), ("KERNEL_SOURCES", f'"{digest()}"')],
        extra_compile_args=[] if sys.platform == "win32" else FLAGS,
        py_limited_api=True,
    )
    command = Distribution({"name": "aiops-nb", "ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(MODULE))


def sources() -> list[Path]:
    """The C files and their headers, sorted."""
    return sorted(path for path in (ROOT / "native").iterdir() if path.suffix in (".c", ".h"))


def digest() -> str:
    """Names the sources; `aiops_nb.kernel` does not use what was compiled from others."""
    whole = hashlib.sha256()
    for path in sources():
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def platform_tag() -> str:
    """The platform's part of the wheel's name."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def install(built: Path, target: Path) -> None:
    """Put the module in its place at once: a process that has the former one loaded keeps that."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(built, fresh)
    fresh.replace(target)


def main() -> None:
    """Compile into this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        built = compiled(Path(folder))
        if built is not None:
            install(built, ROOT / "aiops_nb" / "kernel" / built.name)


if __name__ == "__main__":
    main()

"""The kernel's own tests once more, with the compiler's checks of every read, write and operation.

    python -m benchmarks.kernel_sanitized [--scalar]

Builds `native/` in a copy of the checkout with AddressSanitizer and UndefinedBehaviorSanitizer, and runs the fuzz tests
there: a read past the end of untrusted bytes, a shift or sum that C does not define, a use of freed memory ends the
run. `--scalar` takes the code for processors without SSE2. Needs gcc and its libasan; takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"
TESTS = (
    "tests/property/test_json_requests_kernel.py",
    "tests/property/test_row_kernels.py",
    "tests/property/test_window_kernels.py",
    "tests/property/test_push_many.py",
)


def main() -> None:
    """Run the tests; exits with pytest's code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scalar", action="store_true", help="without SSE2, as on other processors")
    flags = SANITIZE + (" -DKERNEL_SCALAR" if parser.parse_args().scalar else "")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("aiops_nb", "native", "tests", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_kernel.*"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        build = os.environ | {"CC": "gcc", "CFLAGS": flags, "LDFLAGS": flags, "AIOPS_NB_KERNEL": "require"}
        subprocess.run([sys.executable, "native/build.py"], cwd=copy, env=build, check=True, timeout=300)
        library = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
        checked = os.environ | {
            "LD_PRELOAD": library,
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # the interpreter itself never frees all
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "AIOPS_NB_KERNEL": "require",
            "PYTHONMALLOC": "malloc",  # in the interpreter's own arenas the end of an object is not guarded
        }
        where = [sys.executable, "-c", "from aiops_nb import kernel; print(kernel.compiled.__file__)"]
        loaded = subprocess.run(where, cwd=copy, env=checked, capture_output=True, text=True, check=True, timeout=60)
        print(f"checked: {loaded.stdout.strip()}, built with {flags}", flush=True)
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600", *TESTS]
        sys.exit(subprocess.run(argv, cwd=copy, env=checked, timeout=1200).returncode)


if __name__ == "__main__":
    main()

"""One mutant against the tests that enter the changed function."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.mutation.changes import Mutant

MUTANT_SECONDS = 120.0
WIDE_SECONDS = 1800.0
WALL_FACTOR = 20.0  # limits are of processor time: on a busy machine a mutant must not count as endless
MOST_SECONDS = 60.0  # of tests a mutant, by what they took while they were noted, which slows them
PRELOADED = ("numpy", "pyarrow", "pandas", "pytest", "hypothesis", "msgspec")
KERNEL_OFF = {"AIOPS_NB_KERNEL": "off", "OPENBLAS_NUM_THREADS": "1"}  # the definition is Python; the kernel follows it


@dataclass(frozen=True, slots=True)
class Reach:
    """Seconds of each test, and the tests that enter each function (`path::qualified.name`)."""

    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def measured(cls, copy: Path, paths: list[str]) -> Reach:
        """Run these tests once, in the copy of the package; those that fail without a change are not asked later."""
        plugin = Path(__file__).with_name("reach.py")
        (copy / "mutation_reach.py").write_text(plugin.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "mutation_reach", "-p", "no:cacheprovider", *paths]
        environment = os.environ | KERNEL_OFF | {"PYTHONPATH": str(copy)}
        subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, check=False)
        return cls.read(copy / "reach.json")

    @classmethod
    def read(cls, file: Path) -> Reach:
        """What was written."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Keep it for another run."""
        file.write_text(json.dumps({"seconds": self.seconds, "reached": self.reached}), encoding="utf-8")

    def joined(self, other: Reach) -> Reach:
        """Both, as the tests of the other were noted later."""
        places = self.reached.keys() | other.reached.keys()
        reached = {one: [*{*self.reached.get(one, []), *other.reached.get(one, [])}] for one in places}
        return Reach(self.seconds | other.seconds, reached)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that enter the changed function: those of its own test file, then the quickest.

        For a change outside of any they are those that enter a function of the file, or else of its folder.
        """
        place = f"{mutant.path}::{mutant.function}"
        if mutant.function:
            places = [place]
        else:
            of_file = [one for one in self.reached if one.startswith(place)]
            places = of_file or [one for one in self.reached if one.startswith(f"{mutant.path.parent}/")]
        found = {test for one in places for test in self.reached.get(one, []) if test in self.seconds}
        chosen: list[str] = []
        left = MOST_SECONDS
        own = f"/test_{mutant.path.stem}.py::"
        for test in sorted(found, key=lambda one: (own not in one, self.seconds[one])):
            left -= self.seconds[test]
            if left < 0 and chosen:
                break
            chosen.append(test)
        return chosen


def outcome_of(mutant: Mutant, copy: Path, tests: list[str], most_seconds: float = MUTANT_SECONDS) -> str:
    """`killed`, `survived`, or `endless`, which is killed by the clock; the copy is as before afterwards."""
    if not tests:
        return "survived"
    file = copy / mutant.path
    before = file.read_text(encoding="utf-8")
    file.write_text(mutant.source, encoding="utf-8")
    compiled = Path(importlib.util.cache_from_source(str(file)))
    compiled.unlink(missing_ok=True)
    for name in PRELOADED:
        importlib.import_module(name)
    try:
        child = multiprocessing.get_context("fork").Process(target=_run, args=(copy, tests, most_seconds))
        child.start()
        child.join(WALL_FACTOR * most_seconds)
        if child.is_alive():
            child.kill()
            child.join()
        if (child.exitcode or 0) < 0:  # by the limit of processor time, or by us
            return "endless"
        return "killed" if child.exitcode else "survived"
    finally:
        compiled.unlink(missing_ok=True)
        file.write_text(before, encoding="utf-8")


def _run(copy: Path, tests: list[str], most_seconds: float) -> None:
    """In a child: the heavy libraries are loaded, the package is not."""
    import resource

    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (round(most_seconds), round(most_seconds)))
    with Path(os.devnull).open("w") as quiet:
        os.dup2(quiet.fileno(), 1)
        os.dup2(quiet.fileno(), 2)
    os.chdir(copy)
    os.environ.update(KERNEL_OFF)
    sys.path[:] = [str(copy), *(path for path in sys.path if path not in ("", os.fspath(copy)))]
    for name in [name for name in sys.modules if name.split(".")[0] in ("aiops_nb", "tests")]:
        del sys.modules[name]
    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])))

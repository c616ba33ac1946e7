"""Draw mutants, try them, print the survivors and the score of each room."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import benchmarks.mutation
from benchmarks.mutation.changes import ROOT, Mutant, sample
from benchmarks.mutation.trial import WIDE_SECONDS, Reach, outcome_of

ROOMS = ("engine", "rules", "alert", "features", "detect", "preprocess")
Result = dict[str, Any]


def interval(killed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    Examples
    --------
    >>> [round(bound, 3) for bound in interval(85, 100)]
    [0.767, 0.907]
    """
    z = 1.96
    share, spread = killed / tried, z * z / tried
    middle = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / tried + spread / tried / 4)
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def table(results: Iterable[Result]) -> str:
    """Score of each room and of all, as Markdown."""
    rooms: dict[str, Counter[str]] = {}
    for one in results:
        for room in (one["room"], "all"):
            rooms.setdefault(room, Counter())[one["outcome"]] += 1
    lines = ["| room | mutants | killed | survived | score | 95 % interval |", "|---|--:|--:|--:|--:|--:|"]
    for room, outcomes in sorted(rooms.items(), key=lambda one: one[0] == "all"):
        tried, survived = outcomes.total(), outcomes["survived"]
        low, high = interval(tried - survived, tried)
        score = f"{1 - survived / tried:.1%} | {low:.1%} to {high:.1%}"
        lines.append(f"| {room} | {tried} | {tried - survived} | {survived} | {score} |")
    return "\n".join(lines)


def _copied(folder: Path) -> Path:
    for name in ("aiops_nb", "tests", "data", "config", "docs", "benchmarks", "notebooks"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_kernel*"))
    for name in ("pyproject.toml", "CHANGELOG.md", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def _reach(copy: Path, rooms: tuple[str, ...], options: argparse.Namespace) -> Reach:
    kept = options.reach is not None and options.reach.exists()
    paths = options.note if kept else [f"{kind}/{room}" for room in rooms for kind in ("tests/unit", "aiops_nb")]
    fresh = Reach.measured(copy, paths) if paths else Reach()
    reach = Reach.read(options.reach).joined(fresh) if kept else fresh
    if options.reach is not None:
        reach.write(options.reach)
    return reach


def _place(room: str, mutant: Mutant) -> Result:
    return {"room": room, "path": str(mutant.path), "line": mutant.line, "operator": mutant.operator}


def tried(
    copy: Path, reach: Reach, mutants: Iterable[tuple[str, Mutant]], until: float, wide: list[str]
) -> Iterator[Result]:
    """The outcome of each mutant until the time is up."""
    for room, mutant in mutants:
        if time.monotonic() > until:
            return
        tests = reach.tests_of(mutant)
        outcome = outcome_of(mutant, copy, tests)
        if outcome == "survived" and wide:
            outcome = outcome_of(mutant, copy, wide, WIDE_SECONDS)
        result = _place(room, mutant) | {"outcome": outcome, "tests": len(tests)}
        if outcome == "survived":
            print(f"survived {len(tests)} tests: {mutant.path}:{mutant.line}: {mutant.operator}", flush=True)
        yield result


def main(options: argparse.Namespace) -> None:
    """Go on with a file of results, then print its table."""
    file: Path = options.results
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    known: list[Result] = [json.loads(line) for line in lines]
    rooms = tuple(options.room or ROOMS)
    asked = [one for one in known if one["outcome"] == "survived"] if options.again else known
    done = [{name: one[name] for name in ("room", "path", "line", "operator")} for one in asked]
    drawn = ((room, mutant) for room, mutant in sample(rooms, options.seed))
    chosen = ((room, mutant) for room, mutant in drawn if (_place(room, mutant) in done) == options.again)
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(Path(folder))
        measured = time.monotonic()
        reach = _reach(copy, rooms, options)
        print(f"{len(reach.seconds)} tests noted in {time.monotonic() - measured:.0f} s", flush=True)
        for result in tried(copy, reach, chosen, time.monotonic() + options.seconds, options.wide):
            place = {name: result[name] for name in ("room", "path", "line", "operator")}
            known = [one for one in known if not (options.again and place.items() <= one.items())] + [result]
            file.write_text("".join(f"{json.dumps(one)}\n" for one in known), encoding="utf-8")
    if known:
        print(f"\n{table(known)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=benchmarks.mutation.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", choices=ROOMS, action="append")
    parser.add_argument("--again", action="store_true", help="try the survivors of the results once more")
    parser.add_argument("--reach", type=Path, help="a file that keeps which test enters which function")
    parser.add_argument("--note", nargs="+", default=[], help="tests to note in it")
    parser.add_argument("--wide", nargs="+", default=[], help="slower tests for what survives the quick ones")
    main(parser.parse_args())

"""Faults planted into the pure rooms, one at a time, and whether a test notices: the share that is noticed.

    python -m benchmarks.mutation [--seconds 900] [--seed 1] [--room alert]

Each mutant is a copy of the package with one small change, run against the doctests of its file and the unit tests of
its room; it is killed if one fails. Sites are drawn by the seed over all rooms until the time is up. A survivor is
printed with its place: it is a test to write, or a change without an effect.

Hand-written: mutmut and cosmic-ray draw no seeded sample and keep no bound in time, and the whole takes days here.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "rules", "alert", "features", "detect")
MUTANT_SECONDS = 300.0
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the new source of a file, and what was done on which line."""

    path: Path
    line: int
    operator: str
    source: str


def mutants(path: Path, source: str) -> list[Mutant]:
    """Every change of one file, in order.

    Examples
    --------
    >>> found = mutants(Path("a.py"), "def f(x: int | None) -> bool:\\n    return x < 3 and not x\\n")
    >>> [one.operator for one in found]
    ['and -> or', 'Lt -> LtE', 'number + 1', 'not removed']
    >>> print(found[1].source)
    def f(x: int | None) -> bool:
        return x <= 3 and (not x)
    """
    tree = ast.parse(source)
    sites = _sites(tree)
    return [Mutant(path, line, operator, ast.unparse(tree)) for line, operator in sites]


def _sites(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and operator of each change, which is in the tree until the next one is asked for."""
    for node in _code(tree):
        for operator, undo in _changes(node):
            yield getattr(node, "lineno", 0), operator
            undo()


class _Undo:
    """Sets an attribute of a node, and sets it back when called."""

    def __init__(self, node: ast.AST, name: str, value: object) -> None:
        self._node, self._name, self._before = node, name, getattr(node, name)
        setattr(node, name, value)

    def __call__(self) -> None:
        setattr(self._node, self._name, self._before)


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run: no annotations, no docstrings, no imports, no class bodies' defaults of types."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not is_text:
                yield child
                yield from _code(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, _Undo]]:
    match node:
        case ast.Compare(ops=[only]) if type(only) in COMPARISONS:
            other = COMPARISONS[type(only)]
            yield f"{type(only).__name__} -> {other.__name__}", _Undo(node, "ops", [other()])
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            swapped = ARITHMETIC[type(op)]
            yield f"{type(op).__name__} -> {swapped.__name__}", _Undo(node, "op", swapped())
        case ast.BoolOp(op=ast.And()):
            yield "and -> or", _Undo(node, "op", ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield "or -> and", _Undo(node, "op", ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield "not removed", _Undo(node, "op", ast.UAdd())
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", _Undo(node, "value", not value)
        case ast.Constant(value=int() | float() as value):
            yield "number + 1", _Undo(node, "value", value + 1)


def outcome_of(mutant: Mutant, copy: Path, room: str) -> str:
    """`killed`, `survived`, or `endless`, which is killed by the clock; the copy is as before afterwards."""
    file = copy / mutant.path
    before = file.read_text(encoding="utf-8")
    file.write_text(mutant.source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header"]
    command += [str(mutant.path), f"tests/unit/{room}"]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        quiet = subprocess.DEVNULL
        done = subprocess.run(
            command, cwd=copy, env=environment, stdout=quiet, stderr=quiet, timeout=MUTANT_SECONDS, check=False
        )
        return "killed" if done.returncode else "survived"
    except subprocess.TimeoutExpired:
        return "endless"
    finally:
        file.write_text(before, encoding="utf-8")


def sample(rooms: tuple[str, ...], seed: int) -> Iterator[tuple[str, Mutant]]:
    """The mutants of all files of some rooms, in random order."""
    found = []
    for room in rooms:
        for file in sorted((ROOT / "aiops_nb" / room).rglob("*.py")):
            count = sum(1 for _ in _sites(ast.parse(file.read_text(encoding="utf-8"))))
            found += [(room, file.relative_to(ROOT), place) for place in range(count)]
    random.Random(seed).shuffle(found)
    for room, name, place in found:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        line, operator = next(islice(_sites(tree), place, None))
        yield room, Mutant(name, line, operator, ast.unparse(tree))


def main(seconds: float = 900.0, seed: int = 1, rooms: tuple[str, ...] = ROOMS) -> None:
    """Print the survivors and the score of each room."""
    counts: dict[str, Counter[str]] = {room: Counter() for room in rooms}
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("aiops_nb", "tests", "data"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        for room, mutant in sample(rooms, seed):
            if time.monotonic() > until:
                break
            outcome = outcome_of(mutant, copy, room)
            counts[room][outcome] += 1
            if outcome == "survived":
                print(f"survived: {mutant.path}:{mutant.line}: {mutant.operator}", flush=True)
    print("\n| room | mutants | killed | survived |\n|---|--:|--:|--:|")
    for room, outcomes in counts.items():
        print(f"| {room} | {outcomes.total()} | {outcomes['killed'] + outcomes['endless']} | {outcomes['survived']} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", choices=ROOMS, action="append")
    options = parser.parse_args()
    main(options.seconds, options.seed, tuple(options.room or ROOMS))

"""The small changes: what is changed in a file, and in which function."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
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
    """One change: the new source of a file, what was done on which line, and in which function ("" outside of any)."""

    path: Path
    line: int
    operator: str
    source: str
    function: str = ""


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
    return [Mutant(path, line, operator, ast.unparse(tree), function) for line, operator, function in _sites(tree)]


def _sites(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, operator and function of each change, which is in the tree until the next one is asked for."""
    for node, function in _code(tree, "", ""):
        for operator, undo in _changes(node):
            yield getattr(node, "lineno", 0), operator, function
            undo()


class _Undo:
    """Sets an attribute of a node, and sets it back when called."""

    def __init__(self, node: ast.AST, name: str, value: object) -> None:
        self._node, self._name, self._before = node, name, getattr(node, name)
        setattr(node, name, value)

    def __call__(self) -> None:
        setattr(self._node, self._name, self._before)


def _code(tree: ast.AST, scope: str, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Nodes that run, with the function that they are in: no annotations, no docstrings, no imports, no decorators.

    `scope` is what the name of a function within begins with.
    """
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        if name == "keywords" and isinstance(tree, ast.ClassDef):  # frozen=True and its like
            continue
        for child in value if isinstance(value, list) else [value]:
            is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not isinstance(child, ast.AST) or is_text:
                continue
            match child:
                case ast.FunctionDef(name=own):
                    inside = f"{scope}{own}.<locals>.", f"{scope}{own}"
                case ast.ClassDef(name=own):
                    inside = f"{scope}{own}.", function
                case _:
                    inside = scope, function
            yield child, function
            yield from _code(child, *inside)


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
        line, operator, function = next(islice(_sites(tree), place, None))
        yield room, Mutant(name, line, operator, ast.unparse(tree), function)

"""What is public is described: every module, and every public class, function and method in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "aiops_nb"
Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Public definitions of a module, and of its public classes; not those nested in functions."""
    for node in tree.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [name for name, node in public(tree) if not ast.get_docstring(node)]
    assert not missing
    assert ast.get_docstring(tree) or not tree.body


def test_the_check_sees_methods_and_passes_over_private_names() -> None:
    tree = ast.parse("class A:\n    def b(self): ...\n    def _c(self): ...\ndef _d(): ...\n")
    assert [name for name, _ in public(tree)] == ["A", "A.b"]

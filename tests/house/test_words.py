"""The search for retired words finds them in each kind of text, and passes over what is plain English."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.house.words import find


def words_in(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return [f"{one.kind} {one.word}" for one in find([path])]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.py", "is_told = 1  # told by whom\n", ["name is_told", "comment told", "comment whom"]),
        ("a.py", 'def f():\n    """Three on end."""\n    return "the usual"\n', ["docstring on end", "string usual"]),
        ("a.py", 'f"{1} a text"\nx = {"explained_by": 1}\n', ["string a text", "string explained_by"]),
        ("a.md", "Three failures on\nend, lest it alerts.\n", ["text on end", "text lest"]),
        ("a.ipynb", json.dumps({"cells": [{"cell_type": "markdown", "source": ["It stands beside."]}]}), None),
    ],
)
def test_a_retired_word_is_found(tmp_path: Path, name: str, text: str, words: list[str] | None) -> None:
    assert words_in(tmp_path / name, text) == (words or ["text beside", "text stands"])


@pytest.mark.parametrize(
    "text",
    [
        "As usual, two files together tell you what SLO stands for: a text file.",
        "The page explains how; the file is closed, and nothing is lost at once. It usually comes to a halt.",
        "The error tells you the command. A flag tells apart probes and traffic.",
    ],
)
def test_plain_english_is_left_alone(tmp_path: Path, text: str) -> None:
    assert words_in(tmp_path / "a.md", text) == []


def test_a_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""One.\n\nTold on line 3.\n"""\n', encoding="utf-8")
    assert [one.where for one in find([tmp_path / "a.py"])] == ["3"]


def test_no_retired_word_is_left() -> None:
    assert [str(one) for one in find()] == []

"""The changelog has the form of Keep a Changelog; a line is short enough to be read."""

from __future__ import annotations

import re

import aiops_nb
from tests.paths import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MAX_WORDS = 25
UNRELEASED = ["Added", "Changed", "Fixed", "Removed"]


def test_a_line_has_at_most_25_words() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("- ")]
    assert lines and [line for line in lines if len(line[2:].split()) > MAX_WORDS] == []


def test_a_line_is_one_line() -> None:
    body = TEXT.partition("## [Unreleased]")[2].splitlines()
    assert [line for line in body if line and not line.startswith(("- ", "#"))] == []


def test_the_sections_are_in_order() -> None:
    unreleased = TEXT.partition("## [Unreleased]")[2].partition("\n## ")[0]
    groups = re.findall(r"^### (.*)$", unreleased, re.MULTILINE)
    assert groups == [group for group in UNRELEASED if group in groups]
    versions = re.findall(r"^## \[([^\]]+)\]", TEXT, re.MULTILINE)
    assert versions[0] == "Unreleased" and versions[1] == aiops_nb.__version__

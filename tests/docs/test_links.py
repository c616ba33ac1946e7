"""What the pages show and point to is there, and pictures say in words what they show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)")
IMAGE_TAG = re.compile(r"<img\b[^>]*>")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s#]*)(#[^)\s]+)?\)")
FEWEST_WORDS = 3


def text_of(path: Path) -> str:
    """Its prose: of a notebook, that of its cells of text; code apart."""
    if path.suffix != ".ipynb":
        return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def anchors_of(path: Path) -> set[str]:
    """What the headings of a page are called in links to them."""
    headings = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_each_picture_is_there_and_says_what_it_shows(path: Path) -> None:
    text = text_of(path)
    assert not IMAGE_TAG.search(text), "written as ![words](path)"
    for words, target in PICTURE.findall(text):
        assert len(words.split()) >= FEWEST_WORDS, f"{target}: {words!r}"
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_to_what_is_there(path: Path) -> None:
    for target, anchor in LINK.findall(text_of(path)):
        if re.match(r"[a-z]+:", target):
            continue
        page = path.parent / target if target else path
        assert page.exists(), target
        assert not anchor or anchor[1:] in anchors_of(page), f"{target}{anchor}"


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Two `words`\n![](no.svg) [x](#two-words)\n```\n![](code.svg)\n```\n")
    assert PICTURE.findall(text_of(tmp_path / "a.md")) == [("", "no.svg")]
    assert anchors_of(tmp_path / "a.md") == {"two-words"}

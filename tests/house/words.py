"""List the retired words that are left in code and documents: `python -m tests.house.words [PATH...]`.

We write in the field's own words (docs/glossary.md). This list holds the words that we gave up, and what replaces them.
Decided here, once:

- `Places` (of configuration values) is Positions; `places` for indices into an array stays.
- aiops_nb/core/earlier.py lists earlier names, to translate recordings of earlier formats, and is left out.
- `together`, `explains` are retired as names (of fields, keys, classes). As plain English they are allowed,
  but an alert does not "explain" another alert: it inhibits it.
- `usual` is always baseline, expected or normal. "as usual" and "usually" are plain English and allowed.
- `tell` is notify, report or say. "tells you" (a message tells the reader) and "tell apart" are allowed; so is
  `file.tell()`.
- `stand` is to be, or to be listed. "stands for" (an abbreviation) is allowed.
- `clean` is preprocess where a series is meant; cleaning up a folder is still cleaning up.
- `a text` is a string, a message or a summary; "a text file" and the like are allowed.
- Words in CHANGELOG.md between backquotes are old names of renamed keys, and allowed.

Without PATH: the package, benchmarks, notebooks, docs and the pages in the root. Tests only if named.
The exit code is 1 if anything is left.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.paths import ROOT

SEARCHED = ("aiops_nb", "benchmarks", "notebooks", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
TEXT_SUFFIXES = {".md", ".yaml", ".yml", ".js", ".mjs", ".css", ".html", ".toml", ".svg"}
THIS = "tests/house/words.py"
EARLIER = "aiops_nb/core/earlier.py"
SKIPPED_FOLDERS = {"__pycache__", "_build", "generated", "node_modules", ".ipynb_checkpoints"}

# In prose, messages, labels and comments. Each pattern is searched without regard to case.
PROSE: dict[str, str] = {
    r"\btells?\b(?!\s+(?:you|apart|it apart|them apart|the two apart))": "notify, report, say",
    r"\btelling\b|\btold\b(?!\s+apart)": "notified, reported",
    r"\bon\s+end\b": "consecutive, in a row",
    r"(?<!as\s)\busual\b": "baseline, expected, normal",
    r"\bas\s+a\s+rule\b": "usually, normally",
    r"\bstrange(?:r|st|ness|ly)?\b": "anomalous, raw score",
    r"\blanes?\b": "stage",
    r"\blest\b": "so that ... not",
    r"\banew\b": "again",
    r"\bthrice\b": "three times",
    r"\bwhom\b": "who, which",
    r"\bbeside\b": "next to, with",
    r"\bstands?\b(?![\s-]+(?:for\b|in\b|alone\b))|\bstood\b": "is, is listed, is written",
    r"\bc[ao]mes?\s+to\b(?!\s+(?:a|an|the)\s+(?:end|halt|stop)\b)": "becomes, amounts to",
    r"\bdoors?\b": "input, interface",
    r"\bways?\s+in\b(?!\s+which)": "data source, input",
    r"\ba\s+text\b(?!\s+(?:file|editor|field|area|box|line|mode|cell|format|column)s?\b)": "a string, a message",
    r"\bfrom\s+the\s+future\b": "timestamps in the future",
    r"\bwhat\s+(?:it\s+)?is\s+called\b": "name, label",
    r"\bno\s+news\b": "say what happens instead",
    r"(?<!there\s)\bis\s+(?-i:none)\b": "is not one; say what it is",
    r"\b(?:alerts?|rules?|incidents?|causes?)\s+(?:that\s+)?explain(?:s|ed)?\b": "inhibits",
    r"\bexplained\s+by\b": "inhibited by, components",
    r"\bexplain(?:s|ed)?\s+(?:(?:an?|the|another|other|its|these|those)\s+)?(?:alerts?|silences?)\b": "inhibits",
    r"\bclean(?:ing|ed)?\s+(?:steps?|series|frames?|values?)\b": "preprocess",
    r"\b(?:hitherto|henceforth|thereby|therein|wherein|whence|thence|albeit|thereof|whereof)\b": "plain English",
}
# Words within identifiers (`is_told`, `toldRows`), each with what replaces it.
NAME_WORDS: dict[str, str] = {
    **dict.fromkeys(("tell", "tells", "told", "telling"), "notify, report, say"),
    **dict.fromkeys(("strange", "strangeness", "stranger"), "anomalous, raw score"),
    **dict.fromkeys(("lane", "lanes"), "stage"),
    **dict.fromkeys(("door", "doors"), "input, load"),
    **dict.fromkeys(("stand", "stands", "stood"), "is, value"),
    "usual": "baseline, expected, normal",
    "together": "grouping, joined",
    "explains": "inhibits",
    "movers": "phase breakdown",
    "beside": "next to",
    "lest": "so that ... not",
    "anew": "again",
    "thrice": "three times",
    "whom": "who",
    "makings": "scenarios",
    "habits": "profiles",
}
# Whole identifiers, keys and columns.
NAMES: dict[str, str] = {
    "Passage": "NullTap",
    "Framed": "FrameAccess",
    "Lately": "LookupCache",
    "Moved": "PhaseBreakdown",
    "Places": "Positions",
    "own_past": "per-series calibration",
    "own_scale": "normalisation",
    "kept_out": "excluded from learning",
    "backed_by": "corroborated_by",
    "beyond_chance": "significance",
    "explained_by": "components, inhibited_by",
    "suppressed_by": "inhibited_by",
    "ready_rules": "enable",
    "clean": "preprocess",
    "clean_series": "preprocess_series",
    "clean_frame": "preprocess_frame",
    "most_by_chance_per_day": "max_chance_alerts_per_day",
    "every_seconds": "interval_seconds",
    "sample_target": "host_label",
}
# Names of other people's that look like ours.
FOREIGN = re.compile(r"\.tell\(|decimal_places|\bmake clean\b|Makefile")
COMPILED = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in PROSE.items()]


@dataclass(frozen=True, slots=True)
class Finding:
    """A retired word and where it is."""

    path: str
    where: str
    kind: str
    word: str
    instead: str

    def __str__(self) -> str:
        """Return a line in the manner of a compiler."""
        return f"{self.path}:{self.where}: {self.kind} {self.word!r} -> {self.instead}"


def find(paths: list[Path] | None = None) -> list[Finding]:
    """Return what is left in these files and folders, by default in all that a user or a developer reads."""
    found: list[Finding] = []
    for path in _files(paths or [ROOT / name for name in SEARCHED]):
        name = path.resolve().relative_to(ROOT).as_posix() if path.resolve().is_relative_to(ROOT) else str(path)
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            found += _in_python(name, text)
        elif path.suffix == ".ipynb":
            found += _in_notebook(name, text)
        else:
            found += _in_prose(name, _without_old_names(text) if name == "CHANGELOG.md" else text, "text")
    return list(dict.fromkeys(found))


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        inner = sorted(path.rglob("*")) if path.is_dir() else [path]
        for one in inner:
            if not SKIPPED_FOLDERS.isdisjoint(one.parts) or not one.is_file():
                continue
            if (one.suffix in TEXT_SUFFIXES or one.suffix in {".py", ".ipynb"}) and not one.as_posix().endswith(
                (THIS, EARLIER)
            ):
                yield one


def _without_old_names(text: str) -> str:
    return re.sub(r"`[^`\n]*`", lambda match: "`" + "-" * (len(match[0]) - 2) + "`", text)


def _in_prose(path: str, text: str, kind: str, first_line: int = 1, prefix: str = "") -> list[Finding]:
    found = []
    for pattern, instead in COMPILED:
        for match in pattern.finditer(text):
            line = first_line + text.count("\n", 0, match.start())
            found.append(Finding(path, f"{prefix}{line}", kind, " ".join(match[0].split()), instead))
    return found


def _in_notebook(path: str, text: str) -> list[Finding]:
    found = []
    for number, cell in enumerate(json.loads(text)["cells"], start=1):
        source = "".join(cell["source"])
        prefix = f"cell {number}, line "
        if cell["cell_type"] == "code":
            code = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
            found += _in_python(path, code, prefix)
        else:
            found += _in_prose(path, source, "text", prefix=prefix)
    return found


def _in_python(path: str, source: str, prefix: str = "") -> list[Finding]:
    found = _names(path, source, prefix)
    tree = ast.parse(source)
    documented = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += _in_string(path, node, "docstring" if id(node) in documented else "string", prefix)
    return found


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield first.value


def _in_string(path: str, node: ast.Constant, kind: str, prefix: str) -> list[Finding]:
    value = str(node.value)
    if re.fullmatch(r"\w+", value):  # a key, a column, a word of a message's table
        return _in_name(path, value, f"{prefix}{node.lineno}", kind)
    return _in_prose(path, value, kind, node.lineno, prefix)


def _names(path: str, source: str, prefix: str) -> list[Finding]:
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        where = f"{prefix}{token.start[0]}"
        if token.type == tokenize.NAME and not FOREIGN.search(token.line):
            found += _in_name(path, token.string, where, "name")
        elif token.type == tokenize.COMMENT:
            found += _in_prose(path, token.string, "comment", token.start[0], prefix)
    return found


def _in_name(path: str, name: str, where: str, kind: str) -> list[Finding]:
    if name in NAMES:
        return [Finding(path, where, kind, name, NAMES[name])]
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    return [Finding(path, where, kind, name, NAME_WORDS[word]) for word in words if word in NAME_WORDS]


def main(arguments: list[str]) -> int:
    """Print what is left, then how many of it lies in which room."""
    found = find([Path(argument) for argument in arguments])
    for finding in found:
        print(finding)
    rooms = Counter("/".join(Path(one.path).parts[:2]) for one in found)
    print(*(f"{count:5} {room}" for room, count in rooms.most_common()), sep="\n")
    print(f"{len(found)} retired words left" if found else "no retired words left")
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Where in a YAML file a fault is, in the words of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from aiops_nb.config.normalise import short_name
from aiops_nb.core.errors import ConfigError

MAX_NODES = 1_000_000
MAX_DEPTH = 64
_BEGINNING = re.compile(r"([^\s:,]+)(?=: |, )")
_STEP = re.compile(r"\[(\d+)\]|[^.\[\]]+")


def read_yaml(text: str, where: str) -> Any:
    r"""The contents of one document.

    Raises
    ------
    ConfigError
        Naming the line of a mistake or of a duplicate key; the line itself is not shown, since it may contain a secret.

    Examples
    --------
    >>> read_yaml("interval: 1s", "config.yaml")
    {'interval': '1s'}
    >>> read_yaml("interval: 1s\ninterval: 2s", "config.yaml")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: config.yaml:2: interval: duplicate key (first in line 1)
    """
    try:
        _refuse_deep(text, where)
        root = YAML(typ="safe", pure=True).compose(text)
        if root is not None and _count(root, {}) > MAX_NODES:
            raise ConfigError(f"{where}: expected at most {MAX_NODES:,} values, got more (aliases within aliases)")
        return YAML(typ="safe").load(text)
    except DuplicateKeyError as problem:
        raise _duplicate(problem, text, where) from None
    except MarkedYAMLError as problem:
        line = f":{problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise ConfigError(f"{where}{line}: invalid YAML: {problem.problem}") from None
    except ConfigError:
        raise
    except (YAMLError, ValueError) as problem:  # a date such as 2026-99-99 is a ValueError
        raise ConfigError(f"{where}: invalid YAML: {' '.join(str(problem).split())}") from None


def _refuse_deep(text: str, where: str) -> None:
    """Before anything that walks it calls itself, and overflows the stack."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError(f"{where}: expected at most {MAX_DEPTH} nested levels, got more")


def _count(node: Node, counted: dict[int, int]) -> int:
    """How many values there are when every alias is written out; endless for an anchor that holds itself."""
    if id(node) in counted:
        return counted[id(node)]
    counted[id(node)] = MAX_NODES + 1
    children = node.value if isinstance(node, CollectionNode) else []
    flat = (one for child in children for one in (child if isinstance(child, tuple) else (child,)))
    counted[id(node)] = 1 + sum(_count(one, counted) for one in flat)
    return counted[id(node)]


def _duplicate(problem: DuplicateKeyError, text: str, where: str) -> ConfigError:
    """The library's own message shows both values, of which one may be a secret."""
    again, first = problem.problem_mark.line + 1, problem.context_mark.line + 1
    path = _path_at(YAML(typ="safe", pure=True).compose(text), problem.problem_mark.index, "")
    return ConfigError(f"{where}:{again}: {path}: duplicate key (first in line {first})")


def _path_at(node: Node, index: int, path: str) -> str:
    """Path of the key that begins at this character."""
    if isinstance(node, SequenceNode):
        return next((found for i, one in enumerate(node.value) if (found := _path_at(one, index, f"{path}[{i}]"))), "")
    for key, one in node.value if isinstance(node, MappingNode) else ():
        place = f"{path}.{key.value}".lstrip(".")
        if key.start_mark.index == index:
            return place
        if found := _path_at(one, index, place):
            return found
    return ""


def placed(problem: str, raw: Any, text: str | None, where: str) -> ConfigError:
    """A fault with its file, its line, and its path as the file spells it.

    Parameters
    ----------
    problem
        `path: expected ..., got ...`.
    raw
        What was read.
    text
        The YAML that it was read from, if it was.
    where
        The file.

    Examples
    --------
    >>> text = chr(10).join(["host_metrics: false", "targets:", "- timeout: soon"])
    >>> print(placed("targets[0].timeout_seconds: expected a number", read_yaml(text, "c"), text, "c.yaml"))
    c.yaml:3: targets[0].timeout: expected a number
    """
    match = _BEGINNING.match(problem)
    if match is None:
        return ConfigError(f"{where}: {problem}")
    spelled: list[str | int] = []
    for step in steps_of(match[1]):
        spelled.append(step if isinstance(step, int) else _as_written(step, value_at(raw, spelled)))
    line = f":{_line(text, spelled)}" if text is not None else ""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in spelled).lstrip(".")
    return ConfigError(f"{where}{line}: {shown}{problem[match.end(1) :]}")


def steps_of(path: str) -> list[str | int]:
    """The keys and places that a path is made of.

    Examples
    --------
    >>> steps_of("targets[2].headers['X-Key']")
    ['targets', 2, 'headers', 'X-Key']
    """
    return [int(match[1]) if match[1] else match[0].strip("'") for match in _STEP.finditer(path)]


def _as_written(name: str, parent: Any) -> str:
    return name if isinstance(parent, Mapping) and name in parent else short_name(name)


def value_at(raw: Any, steps: Sequence[str | int]) -> Any:
    """The value at a path; None if there is none."""
    for step in steps:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _line(text: str, steps: Sequence[str | int]) -> int:
    node = YAML(typ="safe", pure=True).compose(text)
    line = node.start_mark.line if node is not None else 0
    for step in steps:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line + 1


def _child(node: Node | None, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    if isinstance(node, MappingNode):
        return next(((key.start_mark.line, one) for key, one in node.value if key.value == str(step)), None)
    return None


_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a mapping",
}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")


def readable(problem: msgspec.ValidationError, contents: Any) -> str:
    """`path: expected ..., got ...` of a complaint about `contents`, ours or the library's.

    Examples
    --------
    >>> from aiops_nb.features.params import WindowParams
    >>> try:
    ...     msgspec.convert({"tick_seconds": -1}, WindowParams)
    ... except msgspec.ValidationError as problem:
    ...     print(readable(problem, {"tick_seconds": -1}))
    tick_seconds: expected a number >= 0.001, got -1
    """
    said = str(problem)
    match = _PATH.search(said)
    path, said = (match[1], said[: match.start()]) if match else ("", said)
    if isinstance(problem.__cause__, ConfigError):
        return f"{path}.{said}" if path else said
    if missing := _MISSING.fullmatch(said):
        return f"{path}.{missing[1]}: expected a value, got nothing".lstrip(".")
    said = _WORD.sub(lambda word: _WORDS[word[0]], said.replace("`", "").replace(" | ", " or "))
    said = f"{said[0].lower()}{said[1:]}{_got(said, value_at(contents, steps_of(path)))}"
    return f"{path}: {said}" if path else said


def _got(said: str, value: Any) -> str:
    """The value, where the library left it out; only numbers, because a string may be a secret."""
    return f", got {value:g}" if isinstance(value, (int, float)) and "got" not in said else ""

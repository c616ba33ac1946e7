"""What the library says of a value that does not fit, in the words of this project."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from aiops_nb.config.places import steps_of, value_at
from aiops_nb.core.errors import ConfigError

_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
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
    tick_seconds: expected a number > 0.0, got -1
    """
    told = str(problem)
    match = _PATH.search(told)
    path, told = (match[1], told[: match.start()]) if match else ("", told)
    if isinstance(problem.__cause__, ConfigError):
        return f"{path}.{told}" if path else told
    if missing := _MISSING.fullmatch(told):
        return f"{path}.{missing[1]}: expected a value, got nothing".lstrip(".")
    told = _WORD.sub(lambda word: _WORDS[word[0]], told.replace("`", "").replace(" | ", " or "))
    told = f"{told[0].lower()}{told[1:]}{_got(told, value_at(contents, steps_of(path)))}"
    return f"{path}: {told}" if path else told


def _got(told: str, value: Any) -> str:
    """The value, where the library left it out; only numbers, because a text may be a secret."""
    return f", got {value:g}" if isinstance(value, (int, float)) and "got" not in told else ""

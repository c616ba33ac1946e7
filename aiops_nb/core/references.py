"""Text that refers to something: `${NAME}`, `${NAME:-default}`, `env:NAME`, `file:PATH`; read when it is used."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from aiops_nb.core.errors import ConfigError

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\}|\{)")
_WHOLE = ("env:", "file:")
_BARE = re.compile(r"\$\{\w+(?::-)?\}")
_MAX_FILE_BYTES = 65_536  # a secret, not a mistaken path
_READ_AT_EVERY_USE = "headers"
Params = TypeVar("Params", bound=msgspec.Struct)


def is_reference(text: str) -> bool:
    """Whether a string says where to find its value rather than what it is.

    Examples
    --------
    >>> [is_reference(text) for text in ("env:TOKEN", "Bearer ${TOKEN}", "price: $5")]
    [True, True, False]
    """
    return text.startswith(_WHOLE) or "${" in text


def is_whole_reference(text: str) -> bool:
    """Whether a string is `env:NAME` or `file:PATH`, and nothing else.

    Examples
    --------
    >>> is_whole_reference("env:URL"), is_whole_reference("http://${HOST}/")
    (True, False)
    """
    return text.startswith(_WHOLE)


def is_bare_reference(text: str) -> bool:
    """Whether a string is one `${NAME}` without a default, and so holds nothing itself.

    Examples
    --------
    >>> [is_bare_reference(text) for text in ("${TOKEN}", "${TOKEN:-s3cret}", "x${TOKEN}")]
    [True, False, False]
    """
    return _BARE.fullmatch(text) is not None


def substituted(text: str, where: str) -> str:
    """The text with each `${NAME}` replaced by that environment variable; `$${` is a `${` that stays.

    Raises
    ------
    ConfigError
        For a variable that is not set and has no default, or a `${` that is not closed; no value is shown.

    Examples
    --------
    >>> os.environ["DEMO_HOST"] = "10.0.0.7"
    >>> substituted("http://${DEMO_HOST}:${DEMO_PORT:-8080}/", "url")
    'http://10.0.0.7:8080/'
    >>> substituted("${DEMO_NOT_SET}", "url")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: url: expected an environment variable that is set, got '${DEMO_NOT_SET}'
    """

    def value_of(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$" if text[match.end() : match.end() + 1] == "{" else "$$"
        if match[1] is None:
            raise ConfigError.at(where, "${NAME} or ${NAME:-default}", match[0])
        value = os.environ.get(match[1], match[2])
        if value is None:
            raise ConfigError.at(where, "an environment variable that is set", match[0])
        return value

    return _VARIABLE.sub(value_of, text)


def resolved_text(text: str, where: str) -> str:
    """What a string refers to, read now; without a reference the string itself.

    Raises
    ------
    ConfigError
        Naming the reference that cannot be read.

    Examples
    --------
    >>> os.environ["DEMO_TOKEN"] = "t1"
    >>> resolved_text("env:DEMO_TOKEN", "headers"), resolved_text("Bearer ${DEMO_TOKEN}", "headers")
    ('t1', 'Bearer t1')
    """
    kind, _, place = text.partition(":")
    if not text.startswith(_WHOLE):
        return substituted(text, where)
    value = os.environ.get(place) if kind == "env" else _file_text(place)
    if value is None:
        expected = "an environment variable that is set" if kind == "env" else "a readable text file of at most 64 KiB"
        raise ConfigError.at(where, expected, text)
    return value


def resolved(params: Params, where: str) -> Params:
    """A copy of parameters in which every text is what it refers to; `headers`, which are read at every use, stay.

    Raises
    ------
    ConfigError
        With the path of the fault below `where`; what a reference stands for is never shown.
    """
    values = {name: _resolved(getattr(params, name), f"{where}.{name}") for name in params.__struct_fields__}
    try:
        return msgspec.structs.replace(params, **values)
    except ConfigError as problem:
        raise without_value(problem, params, where) from None


def without_value(problem: ConfigError, params: msgspec.Struct, where: str) -> ConfigError:
    """The same complaint with its place before it, and without the value if that came from a reference."""
    shown = str(problem)
    came_from = getattr(params, re.split(r"\W", shown, maxsplit=1)[0], None)
    if isinstance(came_from, str) and is_reference(came_from):
        shown = f"{shown.partition(', got ')[0]}, got what {came_from!r} stands for (not shown)"
    return ConfigError(f"{where}.{shown}")


def _resolved(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return resolved_text(value, where)
    if isinstance(value, msgspec.Struct):
        return resolved(value, where)
    if isinstance(value, Mapping) and not where.endswith(f".{_READ_AT_EVERY_USE}"):
        return {key: _resolved(one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(value, Sequence):
        return tuple(_resolved(one, f"{where}[{index}]") for index, one in enumerate(value))
    return value


def _file_text(place: str) -> str | None:
    path = Path(place)
    try:
        if not path.is_file():  # a pipe or a device may have no end
            return None
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
        return text.decode("utf-8").rstrip("\r\n") if len(text) <= _MAX_FILE_BYTES else None
    except (OSError, UnicodeDecodeError, ValueError):
        return None

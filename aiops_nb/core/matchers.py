"""Matchers on labels, in the syntax of Prometheus and Alertmanager: one parser for silences, routes and the CLI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import ConfigError

Operator = Literal["=", "!=", "=~", "!~"]
MatcherSource: TypeAlias = str | Sequence[str] | Mapping[str, str | Sequence[str]]

SYNTAX = 'matchers such as severity="warning", target=~"api.*" (operators: =, !=, =~, !~)'
MOST_LETTERS = 2_000
_PART = re.compile(
    r"""\s*(?P<label>[A-Za-z_][A-Za-z0-9_]*)
        \s*(?P<operator>=~|!~|!=|=)
        \s*(?P<value>"(?:[^"\\\n]|\\.)*"|[^\s",{}=~!]+)
        \s*(?P<end>,|$)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label. A label that is not there counts as empty.

    A regular expression must match the whole value; its syntax is RE2, as in Prometheus, so it takes linear time.

    Parameters
    ----------
    label
        Name of the label.
    operator
        Equal, not equal, matches, does not match.
    value
        A string, or a regular expression.

    Raises
    ------
    ConfigError
        If the regular expression is invalid.

    Examples
    --------
    >>> matcher = Matcher("target", "=~", "api.*")
    >>> str(matcher), matcher.matches({"target": "api-2"}), matcher.matches({"target": "my-api"})
    ('target=~"api.*"', True, False)
    """

    label: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            _check_regex(self.value)

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{value}"'

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil the condition."""
        value = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return _matches_regex(self.value, value) == (self.operator == "=~")


def matches_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfil every condition; without conditions they do.

    Examples
    --------
    >>> matches_all(parse_matchers('severity="error",target!="a"'), {"severity": "error", "target": "b"})
    True
    """
    return all(matcher.matches(labels) for matcher in matchers)


def parse_matchers(source: MatcherSource, where: str = "matchers") -> tuple[Matcher, ...]:
    """Read matchers as users write them.

    Parameters
    ----------
    source
        One string with any number of matchers, separated by commas, in braces or not; a list of such strings; or a
        mapping from labels to a value or the values that are accepted.
    where
        The argument, for messages.

    Raises
    ------
    ConfigError
        If it cannot be read: with the part that is wrong.

    Examples
    --------
    >>> [str(one) for one in parse_matchers('{alertname="http_5xx", target=~"api.*"}')]
    ['alertname="http_5xx"', 'target=~"api.*"']
    >>> [str(one) for one in parse_matchers({"severity": ["error", "critical"], "target": "shop"})]
    ['severity=~"error|critical"', 'target="shop"']
    >>> parse_matchers("severity")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: matchers: expected matchers such as severity="warning", target=~"api.*" ...
    """
    if isinstance(source, str):
        return tuple(_parsed(source, where))
    if isinstance(source, Mapping):
        return tuple(_of_values(label, values, where) for label, values in source.items())
    if not isinstance(source, Sequence):
        raise ConfigError.at(where, SYNTAX, source)
    return tuple(matcher for number, one in enumerate(source) for matcher in _parsed(one, f"{where}[{number}]"))


def _parsed(text: object, where: str) -> Iterable[Matcher]:
    if not isinstance(text, str) or len(text) > MOST_LETTERS:
        raise ConfigError.at(where, f"{SYNTAX}, at most {MOST_LETTERS} letters", str(text)[:100])
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    at, found = 0, []
    while at < len(inner):
        part = _PART.match(inner, at)
        if part is None:
            raise ConfigError.at(where, SYNTAX, inner[at : at + 100])
        operator: Operator = next(one for one in get_args(Operator) if one == part["operator"])
        try:
            found.append(Matcher(part["label"], operator, _unquoted(part["value"])))
        except ConfigError as problem:
            raise ConfigError(f"{where}: {problem}") from None
        at = part.end()
    return found


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), value[1:-1])


def _of_values(label: str, values: object, where: str) -> Matcher:
    if isinstance(values, str):
        return Matcher(label, "=", values)
    if not isinstance(values, Sequence) or not all(isinstance(value, str) for value in values):
        raise ConfigError.at(f"{where}.{label}", "a string or a list of strings", values)
    if len(values) == 1:
        return Matcher(label, "=", values[0])
    return Matcher(label, "=~", "|".join(_literal(value) for value in values))


def _literal(value: str) -> str:
    """The value as a regular expression that matches nothing else."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)


def _check_regex(pattern: str) -> None:
    if len(pattern) > MOST_LETTERS:
        raise ConfigError.at("regex", f"at most {MOST_LETTERS} letters", f"{len(pattern)} letters")
    try:
        _matches_regex(pattern, "")
    except pa.ArrowInvalid as problem:
        raise ConfigError.at("regex", "a regular expression (RE2)", pattern) from problem


@lru_cache(maxsize=10_000)
def _matches_regex(pattern: str, value: str) -> bool:
    found = pc.match_substring_regex(pa.array([value]), f"(?s)\\A(?:{pattern})\\z")
    return bool(found[0].as_py())

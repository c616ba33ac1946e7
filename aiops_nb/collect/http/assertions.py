"""What a reply must be like, said in one line: `status in 200..299`, `json $.status == "UP"`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, get_args

from aiops_nb.core.errors import ConfigError

Subject = Literal["status", "duration", "body", "json", "certificate_expires"]
Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "contains"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """From `low` to `high`, both included."""

    low: float
    high: float


Scalar: TypeAlias = str | int | float | bool | None
Operand: TypeAlias = Scalar | Between
Path: TypeAlias = tuple[str | int, ...]
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One requirement; durations in seconds, `path` the steps into the JSON of the body."""

    text: str
    subject: Subject
    operator: Operator
    operand: Operand
    path: Path = ()

    @property
    def needs_body(self) -> bool:
        """Whether it is about the body."""
        return self.subject in ("body", "json")


MAX_TEXT_CHARACTERS = 1_000
MAX_KEPT_BODY_BYTES = 1_000_000
_ORDERS: tuple[Operator, ...] = ("<", "<=", ">", ">=")
_OPERATORS: Mapping[Subject, tuple[Operator, ...]] = {
    "status": ("==", "!=", *_ORDERS, "in"),
    "duration": (*_ORDERS, "in"),
    "body": ("==", "!=", "contains"),
    "json": get_args(Operator),
    "certificate_expires": (*_ORDERS, "in"),
}
_SECONDS_OF_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
_SHOWN_CHARACTERS = 30

_SPACE = re.compile(r"[ \t]*")
_WORD = re.compile(r"[A-Za-z_]+")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>|[A-Za-z_]+")
_KEY = r'"(?:[^"\\]|\\.)*"'
_PATH = re.compile(rf"\$(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{{1,6}}\]|\[{_KEY}\])*(?![.\[])")
_STEP = re.compile(rf"\.([A-Za-z0-9_-]+)|\[([0-9]+)\]|\[({_KEY})\]")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?(?![0-9A-Za-z_])")
_STATUS = re.compile(r"[1-9][0-9]{2}(?![0-9A-Za-z_])")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)(?![0-9A-Za-z_])")
_DOTS = re.compile(r"\.\.")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def parse_assertions(texts: Sequence[str], where: str = "assertions") -> tuple[Assertion, ...]:
    """Parse each text.

    Raises
    ------
    ConfigError
        Naming the place in the list, the character, what was expected there, and what came.

    Examples
    --------
    >>> [a.operator for a in parse_assertions(["status in 200..299", "duration < 500ms"])]
    ['in', '<']
    """
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise ConfigError.at(where, "a list of texts", texts)
    return tuple(parse_assertion(text, f"{where}[{place}]") for place, text in enumerate(texts))


def parse_assertion(text: str, where: str = "assertion") -> Assertion:
    """Parse one text; the errors are those of `parse_assertions`.

    Examples
    --------
    >>> parse_assertion("duration < 500ms").operand
    0.5
    >>> parse_assertion("json $.parts[0].up == true").path
    ('parts', 0, 'up')
    >>> parse_assertion("status in 200")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: assertion, character 14: expected '..' and the range's end, got nothing
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
        raise ConfigError(f"{where}: expected a string of at most {MAX_TEXT_CHARACTERS:,} characters")
    reader = _Reader(text, where)
    subject: Subject = reader.choice(_WORD, tuple(_OPERATORS))
    path = _steps(reader) if subject == "json" else ()
    operator: Operator = reader.choice(_OPERATOR, _OPERATORS[subject])
    operand = _operand(reader, subject, operator)
    reader.end()
    return Assertion(text=text, subject=subject, operator=operator, operand=operand, path=path)


class _Reader:
    """The text and how far it is read."""

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where, self._place = text, where, 0

    def take(self, pattern: re.Pattern[str], expected: str) -> str:
        token = self.peek(pattern)
        if token is None:
            raise self.error(expected)
        self._place += len(token)
        return token

    def peek(self, pattern: re.Pattern[str]) -> str | None:
        self._skip_space()
        found = pattern.match(self._text, self._place)
        return found.group() if found else None

    def choice(self, pattern: re.Pattern[str], choices: Sequence[Word]) -> Word:
        token = self.peek(pattern)
        for choice in choices:
            if choice == token:
                self._place += len(choice)
                return choice
        raise self.error("one of " + " ".join(choices))

    def end(self) -> None:
        self._skip_space()
        if self._place < len(self._text):
            raise self.error("the end")

    def error(self, expected: str) -> ConfigError:
        self._skip_space()
        rest = self._text[self._place :][:_SHOWN_CHARACTERS]
        got = ascii(rest) if rest else "nothing"
        return ConfigError(f"{self._where}, character {self._place + 1}: expected {expected}, got {got}")

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._place)
        self._place = found.end() if found else self._place


def _steps(reader: _Reader) -> Path:
    refused = reader.error("keys in double quotes, with the escapes of JSON")
    path = reader.take(_PATH, 'a path such as $.a.b[0]["other key"]')
    found = _STEP.findall(path)
    try:
        return tuple(name or (json.loads(key) if key else int(place)) for name, place, key in found)
    except ValueError:
        raise refused from None


def _operand(reader: _Reader, subject: Subject, operator: Operator) -> Operand:
    if operator == "in":
        return _range(reader, subject)
    if subject == "json":
        return _number(reader) if operator in _ORDERS else _scalar(reader)
    return _string(reader) if subject == "body" else _measure(reader, subject)


def _range(reader: _Reader, subject: Subject) -> Between:
    low = _measure(reader, subject)
    reader.take(_DOTS, "'..' and the range's end")
    refused = reader.error(f"a range's end that is not below its beginning ({low:g})")
    high = _measure(reader, subject)
    if high < low:
        raise refused
    return Between(low=low, high=high)


def _measure(reader: _Reader, subject: Subject) -> int | float:
    if subject == "status":
        return int(reader.take(_STATUS, "a status code such as 200"))
    return _number(reader) if subject == "json" else _seconds(reader)


def _seconds(reader: _Reader) -> float:
    token = reader.take(_DURATION, "a duration such as 500ms, 2s, 5m, 1h or 14d")
    number = token.rstrip("dhms")
    return float(number) * _SECONDS_OF_UNIT[token[len(number) :]]


def _number(reader: _Reader) -> int | float:
    token = reader.take(_NUMBER, "a number")
    return float(token) if "." in token else int(token)


def _string(reader: _Reader) -> str:
    refused = reader.error('a string in double quotes, with the escapes of JSON, such as "ok"')
    token = reader.peek(_STRING)
    try:
        text = str(json.loads(token or ""))
        text.encode()
    except ValueError:  # a control character, an unknown escape, half of a surrogate pair
        raise refused from None
    reader.take(_STRING, "")
    return text


def _scalar(reader: _Reader) -> Scalar:
    word = reader.peek(_WORD)
    if word is not None and word in _CONSTANTS:
        reader.take(_WORD, "")
        return _CONSTANTS[word]
    if reader.peek(_NUMBER):
        return _number(reader)
    if reader.peek(_STRING):
        return _string(reader)
    raise reader.error('a string such as "UP", a number, true, false or null')

"""The notations of servers for the form of a log line: nginx, Apache, gunicorn and Envoy, as literals and variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aiops_nb.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Literal:
    """What is written as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What differs from line to line.

    Attributes
    ----------
    name
        As the notation calls it.
    shown
        As it is written there.
    field
        Which field it is; None: the name says it, or none.
    time_format
        Of `datetime.strptime`, for a part of a time.
    """

    name: str
    shown: str
    field: str | None = None
    time_format: str | None = None

    @property
    def is_user(self) -> bool:
        """Whether it is a user's name, which may hold anything."""
        return self.name in ("remote_user", "u")


Piece: TypeAlias = Literal | Variable

_NGINX_DIRECTIVE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?\s*", re.DOTALL)
_NGINX_PART = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_NGINX = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_APACHE_DIRECTIVE = re.compile(
    r'\s*(?:LogFormat|CustomLog\s+(?:"[^"]*"|\S+)|GlobalLog\s+\S+)\s+"((?:[^"\\]|\\.)*)".*', re.DOTALL
)
_APACHE = re.compile(r"%(?:[!0-9,]*)([<>]?)(?:\{([^}]*)\})?(\^[a-z]{2}|[a-zA-Z%])")
_GUNICORN = re.compile(r"%\((?:\{([^}]*)\}([ioe])|(\w))\)s")
_ENVOY = re.compile(r"%([A-Z][A-Z_]{2,})(?:\(([^)]*)\))?(?::\d+)?%")
_TIME_NAMES = ("t", "time_local", "time_iso8601", "msec", "START_TIME")
_APACHE_FIELDS = {
    "h": "client_ip",
    "a": "client_ip",
    "r": "request",
    "s": "status_code",
    "b": "response_bytes",
    "B": "response_bytes",
    "O": "response_bytes",
    "D": "duration_us",
    "T": "duration_seconds",
    "M": "duration_ms",
    "L": "duration_seconds",
    "m": "method",
    "U": "path",
}
_T_UNITS = {"s": "duration_seconds", "ms": "duration_ms", "us": "duration_us"}
_ENVOY_FIELDS = {
    "START_TIME": "start_time",
    "RESPONSE_CODE": "status_code",
    "BYTES_SENT": "response_bytes",
    "DURATION": "duration_ms",
    "DOWNSTREAM_REMOTE_ADDRESS": "client_ip",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "client_ip",
    "REQ(:METHOD)": "method",
    "REQ(:PATH)": "path",
    "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)": "path",
}
_FRACTIONS = {"msec_frac": "%f", "usec_frac": "%f", "sec": "", "msec": "", "usec": ""}


def pieces_of(text: str) -> tuple[list[Piece], str | None]:
    r"""Literals and variables of a format, and the form of its time if the notation says one.

    Raises
    ------
    ConfigError
        If it is in none of the notations.

    Examples
    --------
    >>> pieces_of('LogFormat "%h %D" mine')[0][2].field
    'duration_us'
    >>> [piece.name for piece in pieces_of("$msec|${status}")[0] if isinstance(piece, Variable)]
    ['msec', 'status']
    """
    text = _of_directive(text)
    for expression, variable_of in _NOTATIONS:
        if expression.search(text):
            return _one_time(_without_query(list(_merged(_split(text, expression, variable_of)))))
    expected = "a named pattern, a log_format of nginx with $variables, a LogFormat of Apache, or an expression with "
    raise ConfigError.at("pattern", expected + "(?P<names>...)", text)


def _of_directive(text: str) -> str:
    """The format in a whole directive; any other text as it is."""
    nginx = _NGINX_DIRECTIVE.fullmatch(text)
    if nginx is not None:
        parts = [single or double for single, double in _NGINX_PART.findall(nginx[1])]
        return re.sub(r"\\(.)", r"\1", "".join(parts))
    apache = _APACHE_DIRECTIVE.fullmatch(text)
    if apache is not None:
        return apache[1].replace(r"\"", '"').replace(r"\t", "\t").replace(r"\\", "\\")
    is_escaped = r"\"" in text and '"' not in text.replace(r"\"", "")
    return text.replace(r"\"", '"') if is_escaped else text


def _split(
    text: str, expression: re.Pattern[str], variable_of: Callable[[re.Match[str]], list[Piece]]
) -> Iterator[Piece]:
    end = 0
    for found in expression.finditer(text):
        yield Literal(text[end : found.start()])
        yield from variable_of(found)
        end = found.end()
    yield Literal(text[end:])


def _merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """With neighbouring literals joined, and no empty one."""
    text = ""
    for piece in pieces:
        if isinstance(piece, Literal):
            text += piece.text
            continue
        if text:
            yield Literal(text)
        yield piece
        text = ""
    if text:
        yield Literal(text)


def _without_query(pieces: list[Piece]) -> list[Piece]:
    """Without Apache's `%q` right after the path, which is read up to its end."""
    followed = zip([None, *pieces], pieces, strict=False)
    return [
        piece
        for before, piece in followed
        if not (isinstance(piece, Variable) and piece.name == "q" and isinstance(before, Variable))
    ]


def _one_time(pieces: list[Piece]) -> tuple[list[Piece], str | None]:
    """With the parts of a time that is written in several as one variable, and its form."""
    parts = [place for place, piece in enumerate(pieces) if isinstance(piece, Variable) and piece.name == "t"]
    first = pieces[parts[0]] if parts else None
    if not isinstance(first, Variable) or first.time_format is None:
        return pieces, None
    inside = pieces[parts[0] : parts[-1] + 1]
    if sum(isinstance(piece, Variable) for piece in inside) != len(parts):
        return [pieces[place] if place not in parts[1:] else _unused(pieces[place]) for place in range(len(pieces))], (
            first.time_format or None
        )
    written = "".join(piece.text if isinstance(piece, Literal) else piece.time_format or "" for piece in inside)
    return [*pieces[: parts[0]], first, *pieces[parts[-1] + 1 :]], written if "%" in written else None


def _unused(piece: Piece) -> Piece:
    return replace(piece, name="part_of_time", field=None) if isinstance(piece, Variable) else piece


def _nginx(found: re.Match[str]) -> list[Piece]:
    return [Variable(name=found[1] or found[2], shown=found[0])]


def _apache(found: re.Match[str]) -> list[Piece]:
    argument, letter = found[2], found[3]
    if letter == "%":
        return [Literal("%")]
    if letter == "t":
        return _apache_time(found[0], argument)
    if argument is not None and letter not in "Tahp":
        name = _header(argument) if letter == "i" else letter + argument
        return [Variable(name=name, shown=found[0])]
    field = _APACHE_FIELDS.get(letter)
    if letter == "T" and argument:
        field = _T_UNITS.get(argument, "duration")
    return [Variable(name=letter, shown=found[0], field=field)]


def _apache_time(shown: str, argument: str | None) -> list[Piece]:
    """`%t` is in brackets; Apache's is the time of the request's beginning, unless the argument says `end:`."""
    if argument is None:
        return [Literal("["), Variable(name="t", shown=shown, field="start_time"), Literal("]")]
    is_end = argument.startswith("end:")
    form = argument.removeprefix("begin:").removeprefix("end:")
    return [
        Variable(
            name="t",
            shown=shown,
            field="time" if is_end else "start_time",
            time_format=_FRACTIONS.get(form, form),
        )
    ]


def _header(name: str) -> str:
    """The name of a request's header, as nginx calls it."""
    return "http_" + name.lower().replace("-", "_")


def _gunicorn(found: re.Match[str]) -> list[Piece]:
    header, _, letter = found.groups()
    if header is not None:
        return [Variable(name=_header(header), shown=found[0])]
    if letter == "t":
        return [Literal("["), Variable(name="t", shown=found[0], field="time"), Literal("]")]
    return [Variable(name=letter, shown=found[0], field=_APACHE_FIELDS.get(letter))]


def _envoy(found: re.Match[str]) -> list[Piece]:
    name = found[1] if found[2] is None else f"{found[1]}({found[2]})"
    plain = found[1] if found[1] == "START_TIME" else name
    return [Variable(name=name, shown=found[0], field=_ENVOY_FIELDS.get(plain))]


_NOTATIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[Piece]]], ...] = (
    (_GUNICORN, _gunicorn),
    (_ENVOY, _envoy),
    (_NGINX, _nginx),
    (_APACHE, _apache),
)

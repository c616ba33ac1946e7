r"""The form of a line of an access log, compiled from a server's own notation or from a regular expression.

Expressions are those of RE2 (no look-around, no back-references): their time grows with the line only, whatever a
client managed to write into the log. No library serves: parsers of log formats use backtracking expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.keys import family_of, field_of
from aiops_nb.collect.access_log.notation import Literal, Piece, Variable, pieces_of
from aiops_nb.core.errors import ConfigError, unknown

METHOD = "[A-Z][A-Z0-9_-]*"
QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
_PATH = r'(?:\\[\\"]|[^ "])*'  # a quote of a client is escaped by the server
REQUEST = f"(?P<method>{METHOD}) (?P<path>{_PATH})(?: {QUOTED})?"
REQUEST_OR_ANY = f"(?:{REQUEST}|{QUOTED})"  # a client may send anything; the server logs it as it is
_LOOSE_REQUEST = rf"(?:(?P<method>{METHOD}) (?P<path>[^ ]*)(?: .*?)?|.*?)"
_NUMBER = "[-0-9.]+"
_FRAGMENTS = {
    "time": r'[^\[\]"]+',
    "start_time": r'[^\[\]"]+',
    "client_ip": r"[!#-~]+",
    "method": METHOD + "|-",
    "path": _PATH,
    "request": REQUEST_OR_ANY,
    "status_code": _NUMBER,
    "response_bytes": _NUMBER,
    "target": '[^ "]+',
}
_CLIENT = "(?P<client_ip>"
_NAME_AND_SPACE = r'(?:[^\[" ]* )+'  # each letter says where it is: RE2 is twice as fast
_ANY_NAME = rf"{QUOTED} "
_GROUP = re.compile(r"\(\?P?<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePattern:
    """Expressions of RE2, and the fields that their groups are, in their order.

    Attributes
    ----------
    expression
        For one whole line.
    fields
        Of the groups.
    segments
        For what is between the quotes of a line that has as many as the pattern. A line whose parts all match is of
        the pattern, with the same groups. Empty if the pattern has no quotes.
    loose
        For a line of a server that does not escape the quotes in what a client sent; tried last. Empty if it would
        be the same.
    time_format
        Of `datetime.strptime`, if the notation says one.
    """

    expression: str
    fields: tuple[str, ...]
    segments: tuple[str, ...] = ()
    loose: str = ""
    time_format: str | None = None


def line_pattern(pattern: str, fields: Mapping[str, str] | None = None, *, needs_time: bool = True) -> LinePattern:
    r"""Compile a pattern: the notation of nginx, Apache, gunicorn or Envoy, or a regular expression.

    Parameters
    ----------
    pattern
        The text; a whole directive (`log_format main '...';`, `LogFormat "..." name`) does as well.
    fields
        Field by name of a variable or group, before the names that are known.
    needs_time
        Whether a line must say when it was.

    Raises
    ------
    ConfigError
        If it is not valid, lacks a time, or has a group whose name is not known.

    Examples
    --------
    >>> line_pattern("$msec $status").expression
    '^(?P<time>[^\\[\\]"]+) (?P<status_code>[-0-9.]+)\\n?$'
    >>> line_pattern("(?P<status>[0-9]+)")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: pattern: expected a field for the time, got '(?P<status>[0-9]+)'
    """
    names = dict(fields or {})
    if _GROUP.search(pattern):
        return _checked(pattern, _of_expression(pattern, names), needs_time)
    return _checked(pattern, _of_pieces(pattern, names), needs_time)


def _of_expression(text: str, names: Mapping[str, str]) -> LinePattern:
    groups = _GROUP.findall(text)
    fields = {group: names.get(group) or field_of(group) for group in groups}
    strangers = [group for group in groups if fields[group] is None]
    if strangers:
        expected = "groups named time, client_ip, method, path, request, status_code, response_bytes, duration_ms, ..."
        raise ConfigError.at("pattern", expected, strangers[0])
    _check_named(names, groups, text)
    expression = _whole(_GROUP.sub(lambda group: f"(?P<{fields[group[1]]}>", text))
    return LinePattern(expression=expression, fields=tuple(_GROUP.findall(expression)))


def _of_pieces(text: str, names: Mapping[str, str]) -> LinePattern:
    pieces, time_format = pieces_of(text)
    _check_separated(pieces, text)
    _check_named(names, [piece.name for piece in pieces if isinstance(piece, Variable)], text)
    wanted = _wanted(pieces, names)
    strict = [_fragment(*around, wanted) for around in _around(pieces)]
    parts = _parts(pieces, strict)
    whole = _joined(pieces, [_lenient(fragment) for fragment in strict])
    loose = _joined(pieces, [_loosened(fragment) for fragment in strict])
    segments = (*(f"^{part}$" for part in parts[:-1]), _whole(parts[-1]))
    return LinePattern(
        expression=_whole(whole),
        fields=tuple(_GROUP.findall(whole)),
        segments=segments if len(segments) > 1 else (),
        loose=_whole(loose) if loose != whole else "",
        time_format=time_format,
    )


def _wanted(pieces: Sequence[Piece], names: Mapping[str, str]) -> dict[int, str]:
    """Field by the place of its variable: those that the user named, then the first known one of each family."""
    positions = {place: piece for place, piece in enumerate(pieces) if isinstance(piece, Variable)}
    wanted = {place: names[piece.name] for place, piece in positions.items() if piece.name in names}
    taken = {family_of(field) for field in wanted.values()}
    for place, piece in positions.items():
        field = piece.field or field_of(piece.name)
        if field is not None and place not in wanted and family_of(field) not in taken:
            wanted[place] = field
            taken.add(family_of(field))
    return wanted


def _check_separated(pieces: Sequence[Piece], text: str) -> None:
    for piece, following in pairwise(pieces):
        if isinstance(piece, Variable) and isinstance(following, Variable):
            raise ConfigError.at("pattern", f"something between {piece.shown} and {following.shown}", text)


def _around(pieces: Sequence[Piece]) -> list[tuple[int, Piece, str, str]]:
    """Each piece with its place, and the literals before and after it."""
    texts = ["", *(piece.text if isinstance(piece, Literal) else "" for piece in pieces), ""]
    return [(place, piece, texts[place], texts[place + 2]) for place, piece in enumerate(pieces)]


def _fragment(place: int, piece: Piece, before: str, after: str, wanted: Mapping[int, str]) -> str:
    """The expression of a piece for lines without surprises: each letter says where it is."""
    if isinstance(piece, Literal):
        return _escaped(piece.text)
    is_quoted = before.endswith('"') and after.startswith('"')
    field = wanted.get(place)
    if field == "request":
        return REQUEST_OR_ANY
    if field == "client_ip":
        return f"{_CLIENT}{QUOTED if is_quoted else _up_to(after)})"
    if field is not None:
        return f"(?P<{field}>{_FRAGMENTS.get(field, _NUMBER)})"
    if piece.is_user and after.startswith(" ["):
        return _NAME_AND_SPACE
    return QUOTED if is_quoted else _up_to(after)


def _up_to(after: str) -> str:
    return rf'[^{re.escape(after[0])}"]*' if after else r'[^"\n]*'


def _parts(pieces: Sequence[Piece], fragments: Sequence[str]) -> list[str]:
    """The expressions of what is between the quotes."""
    parts = [""]
    for piece, fragment in _spaced(pieces, fragments):
        if isinstance(piece, Literal):
            first, *others = fragment.split('"')
            parts[-1] += first
            parts += others
        else:
            parts[-1] += fragment
    return parts


def _joined(pieces: Sequence[Piece], fragments: Sequence[str]) -> str:
    return "".join(fragment for _, fragment in _spaced(pieces, fragments))


def _spaced(pieces: Sequence[Piece], fragments: Sequence[str]) -> list[tuple[Piece, str]]:
    """Without the space after a user's name, which its own expression takes."""
    spaced = []
    before = ""
    for piece, fragment in zip(pieces, fragments, strict=True):
        takes_space = before.endswith(" ") and isinstance(piece, Literal)
        spaced.append((piece, fragment.removeprefix(" ") if takes_space else fragment))
        before = "" if isinstance(piece, Literal) else fragment.removesuffix(")+")
    return spaced


def _lenient(fragment: str) -> str:
    """For a whole line: a name may hold brackets, and what is not quoted spaces, as a list of addresses does."""
    if fragment == _NAME_AND_SPACE:
        return _ANY_NAME
    if fragment.startswith(_CLIENT) and QUOTED not in fragment:
        return fragment[:-1] + r'(?:, ?[^ ,"]+)*)'
    return re.sub(r'\[\^(?:\\.|[^"])"\]\*', '[^"]*?', fragment)


def _loosened(fragment: str) -> str:
    """For a server that does not escape quotes: a value ends where the rest of the line fits."""
    if fragment == _NAME_AND_SPACE:
        return ".* "
    fragment = fragment.replace(REQUEST_OR_ANY, _LOOSE_REQUEST)
    return _lenient(fragment).replace(QUOTED, ".*?")


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ").replace(r"\"", '"')


def _whole(expression: str) -> str:
    return f"^{expression.removeprefix('^').removesuffix('$')}\\n?$"


def _check_named(names: Mapping[str, str], known: Sequence[str], text: str) -> None:
    missing = [name for name in names if name not in known]
    if missing:
        raise unknown("fields", f"variables of the pattern {text!r}", missing[0], known)


def _checked(pattern: str, compiled: LinePattern, needs_time: bool) -> LinePattern:
    families = [family_of(field) for field in compiled.fields]
    if needs_time and "time" not in families:
        raise ConfigError.at("pattern", "a field for the time", pattern)
    twice = [field for field in compiled.fields if compiled.fields.count(field) > 1]
    if twice:
        raise ConfigError.at("pattern", f"one field for {twice[0]}", pattern)
    for expression in filter(None, (compiled.expression, compiled.loose)):
        try:
            pc.extract_regex(pa.array([b""]), expression)
        except pa.ArrowInvalid as problem:
            raise ConfigError.at("pattern", f"an expression that RE2 takes ({problem})", pattern) from None
    return compiled

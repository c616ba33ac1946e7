r"""What a line of an access log looks like: nginx's `log_format` notation, or a regular expression with named groups.

Expressions are those of RE2 (no look-around, no back-references): their time grows with the line only, whatever a
client managed to write into the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import ConfigError

COMMON = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
COMBINED = COMMON + ' "$http_referer" "$http_user_agent"'
NAMED = {"common": COMMON, "combined": COMBINED, "timed": COMBINED + " $request_time"}

# Field of ours, by what others call it: variables of nginx, keys of JSON logs, names of groups.
FIELD_OF = {
    "time": "time",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "timestamp": "time",
    "@timestamp": "time",
    "ts": "time",
    "client_ip": "client_ip",
    "remote_addr": "client_ip",
    "remote_ip": "client_ip",
    "ip": "client_ip",
    "method": "method",
    "request_method": "method",
    "path": "path",
    "uri": "path",
    "request_uri": "path",
    "url": "path",
    "request": "request",
    "status": "status_code",
    "status_code": "status_code",
    "response_bytes": "response_bytes",
    "body_bytes_sent": "response_bytes",
    "bytes_sent": "response_bytes",
    "bytes": "response_bytes",
    "size": "response_bytes",
    "duration_seconds": "duration_seconds",
    "request_time": "duration_seconds",
    "duration_ms": "duration_ms",
    "duration_us": "duration_us",
}
REQUEST = r"(?P<method>[A-Z]+) (?P<path>[^ \"]*)(?: [^\"]*)?"

QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
REQUEST_OR_ANY = f"(?:{REQUEST}|{QUOTED})"  # a client may send anything; the server logs it as it is
_FRAGMENTS = {
    "time": r'[^\]"]+',
    "client_ip": r"[!#-~]+",
    "method": r"[A-Z]+",
    "path": r'[^ "]+',
    "request": REQUEST_OR_ANY,
    "status_code": r"[0-9]+",
    "response_bytes": r"[0-9]+|-",
    "duration_seconds": r"[0-9.]+|-",
}
_NAME_AND_SPACE = r'(?:[^\[" ]* )+'  # tells by each letter where it is: RE2 is twice as fast
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_DIRECTIVE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?\s*", re.DOTALL)
_PART = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_GROUP = re.compile(r"\(\?P?<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePattern:
    """Expressions of RE2, and the fields of ours that their groups are, in their order.

    Attributes
    ----------
    expression
        For one whole line.
    segments
        For what stands between the quotes of a line that has as many as the pattern: it is one of the pattern if and
        only if each matches its part, as no quote is left that could be part of a value. Empty if that is not known.
    """

    expression: str
    fields: tuple[str, ...]
    segments: tuple[str, ...]


def line_pattern(pattern: str) -> LinePattern:
    r"""Compile a pattern: a name (`common`, `combined`, `timed`), nginx's notation, or a regular expression.

    Raises
    ------
    ConfigError
        If it is none of them, lacks a time, or has a group whose name is not known.

    Examples
    --------
    >>> line_pattern("$msec $status").expression
    '^(?P<time>[^\\]"]+) (?P<status_code>[0-9]+)\\n?$'
    >>> line_pattern("(?P<status>[0-9]+)")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: pattern: expected a field for the time, got '(?P<status>[0-9]+)'
    """
    text = NAMED.get(pattern) or _format_of(pattern)
    is_expression = _GROUP.search(text) is not None
    parts = [_renamed(part) for part in ([text] if is_expression else _of_variables(text))]
    expression = _whole('"'.join(parts))
    fields = tuple(_GROUP.findall(expression))
    _check(pattern, expression, fields)
    segments = () if is_expression else (*(f"^{part}$" for part in parts[:-1]), _whole(parts[-1]))
    return LinePattern(expression=expression, fields=fields, segments=segments)


def _format_of(text: str) -> str:
    """What a whole directive `log_format name 'part' 'part';` says; any other text as it is."""
    directive = _DIRECTIVE.fullmatch(text)
    if directive is None:
        return text
    parts = [single or double for single, double in _PART.findall(directive[1])]
    return re.sub(r"\\(.)", r"\1", "".join(parts))


def _of_variables(text: str) -> list[str]:
    """A `log_format` as expressions for what stands between its quotes."""
    found = list(_VARIABLE.finditer(text))
    if not found:
        expected = (
            f"one of {', '.join(NAMED)}, json, a log_format with $variables, or an expression with (?P<names>...)"
        )
        raise ConfigError.at("pattern", expected, text)
    parts, end = [""], 0
    for this, following in zip(found, [*found[1:], None], strict=True):
        before = text[end : this.start()]
        after = text[this.end() : following.start() if following else len(text)]
        if following and not after:
            raise ConfigError.at("pattern", f"something between {this[0]} and {following[0]}", text)
        _append(parts, before)
        parts[-1] += _fragment(this[1] or this[2], before, after)
        end = this.end()
        if parts[-1].endswith(_NAME_AND_SPACE):
            end += 1
    _append(parts, text[end:])
    return parts


def _append(parts: list[str], literal: str) -> None:
    """Go on with a text that stands as it is; a quote begins another part."""
    first, *others = (re.escape(piece).replace(r"\ ", " ") for piece in literal.split('"'))
    parts[-1] += first
    parts += others


def _fragment(name: str, before: str, after: str) -> str:
    field = FIELD_OF.get(name)
    if field == "request":
        return _FRAGMENTS[field]
    if field is not None:
        return f"(?P<{name}>{_FRAGMENTS[field]})"
    if name == "remote_user":
        # the only variable of the usual formats that may hold spaces without quotes
        return _NAME_AND_SPACE if after.startswith(" [") else r'[^\["]*'
    if before.endswith('"') and after.startswith('"'):
        return QUOTED
    return f"[^{re.escape(after[0])}]*" if after else ".*"


def _renamed(expression: str) -> str:
    names = _GROUP.findall(expression)
    unknown = [name for name in names if name not in FIELD_OF]
    if unknown:
        raise ConfigError.at("pattern", f"groups named {', '.join(sorted(FIELD_OF))}", unknown[0])
    return _GROUP.sub(lambda group: f"(?P<{FIELD_OF[group[1]]}>", expression)


def _whole(expression: str) -> str:
    return f"^{expression.removeprefix('^').removesuffix('$')}\\n?$"


def _check(pattern: str, expression: str, fields: tuple[str, ...]) -> None:
    if "time" not in fields:
        raise ConfigError.at("pattern", "a field for the time", pattern)
    twice = [field for field in fields if fields.count(field) > 1]
    if twice:
        raise ConfigError.at("pattern", f"one field for {twice[0]}", pattern)
    try:
        pc.extract_regex(pa.array([b""]), expression)
    except pa.ArrowInvalid as problem:
        raise ConfigError.at("pattern", f"an expression that RE2 takes ({problem})", pattern) from None

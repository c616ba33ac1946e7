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

_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
_FRAGMENTS = {
    "time": r'[^\]"]+',
    "client_ip": r"[!#-~]+",
    "method": r"[A-Z]+",
    "path": r'[^ "]+',
    "request": f"(?:{REQUEST}|{_QUOTED})",  # a client may send anything; the server logs it as it is
    "status_code": r"[0-9]+",
    "response_bytes": r"[0-9]+|-",
    "duration_seconds": r"[0-9.]+|-",
}
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_GROUP = re.compile(r"\(\?P?<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePattern:
    """An expression of RE2 for one whole line, and the fields of ours that its groups are, in their order."""

    expression: str
    fields: tuple[str, ...]


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
    text = NAMED.get(pattern, pattern)
    expression = text if _GROUP.search(text) else _of_variables(text)
    expression = _renamed(expression)
    fields = tuple(_GROUP.findall(expression))
    _check(pattern, expression, fields)
    return LinePattern(expression=expression, fields=fields)


def _of_variables(text: str) -> str:
    """A `log_format` as an expression."""
    found = list(_VARIABLE.finditer(text))
    if not found:
        expected = (
            f"one of {', '.join(NAMED)}, json, a log_format with $variables, or an expression with (?P<names>...)"
        )
        raise ConfigError.at("pattern", expected, text)
    parts, end = [], 0
    for this, following in zip(found, [*found[1:], None], strict=True):
        before = text[end : this.start()]
        after = text[this.end() : following.start() if following else len(text)]
        if following and not after:
            raise ConfigError.at("pattern", f"something between {this[0]} and {following[0]}", text)
        parts += [re.escape(before).replace(r"\ ", " "), _fragment(this[1] or this[2], before, after)]
        end = this.end()
    return "".join([*parts, re.escape(text[end:]).replace(r"\ ", " ")])


def _fragment(name: str, before: str, after: str) -> str:
    field = FIELD_OF.get(name)
    if field == "request":
        return _FRAGMENTS[field]
    if field is not None:
        return f"(?P<{name}>{_FRAGMENTS[field]})"
    if name == "remote_user":
        return r'[^\["]*'  # the only variable of the usual formats that may hold spaces without quotes
    if before.endswith('"') and after.startswith('"'):
        return _QUOTED
    return f"[^{re.escape(after[0])}]*" if after else ".*"


def _renamed(expression: str) -> str:
    names = _GROUP.findall(expression)
    unknown = [name for name in names if name not in FIELD_OF]
    if unknown:
        raise ConfigError.at("pattern", f"groups named {', '.join(sorted(FIELD_OF))}", unknown[0])
    ours = _GROUP.sub(lambda group: f"(?P<{FIELD_OF[group[1]]}>", expression)
    return f"^{ours.removeprefix('^').removesuffix('$')}\\n?$"


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

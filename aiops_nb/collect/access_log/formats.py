"""Named forms of access logs: what common servers write by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from aiops_nb.collect.access_log.pattern import METHOD, QUOTED, REQUEST_OR_ANY, LinePattern, line_pattern
from aiops_nb.core.errors import unknown

Reader = Literal["lines", "json", "logfmt", "w3c", "auto"]
AUTO = "auto"
COMMON = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
COMBINED = COMMON + ' "$http_referer" "$http_user_agent"'

_USER = rf"(?:{QUOTED})"
_CLIENT = "(?P<client_ip>[^ ]+)"
_TIME = r"\[(?P<time>[^\]]+)\]"
_STATUS = "(?P<status>[-0-9]+)"
_BYTES = "(?P<bytes>[-0-9]+)"
_REQUEST = f'"{REQUEST_OR_ANY}"'
_WORDS = f"(?P<method>{METHOD}) (?P<path>[^ \\n]+)"
_REFERER_AGENT = f' "{QUOTED}" "{QUOTED}"'
_LOGGER = "(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[A-Za-z0-9_.]+:"
_COMMON = rf"{_CLIENT} [^ ]+ {_USER} {_TIME} {_REQUEST} {_STATUS} {_BYTES}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """A form of access logs.

    Attributes
    ----------
    name
        What `pattern` calls it.
    text
        As `line_pattern` takes it; empty if the lines are no such strings.
    reader
        What reads it.
    dialect
        Of JSON: which keys mean what, see `JsonFields`; empty: by the keys of the lines.
    time_format
        Of `datetime.strptime`, where the common forms do not fit.
    is_local
        Whether the server writes its machine's local time, without an offset.
    has_time
        Whether a line says when it was.
    note
        What is worth to be known when it is found by itself.
    """

    name: str
    text: str = ""
    reader: Reader = "lines"
    dialect: str = ""
    time_format: str | None = None
    is_local: bool = False
    has_time: bool = True
    note: str = ""

    @property
    def is_json(self) -> bool:
        """Whether a line is an object."""
        return self.reader == "json"


_MORE = "what follows is not read; set pattern to the server's own log_format to read it"
_NAMED = (
    # The order is that in which they are tried: of those that fit the same lines the first is taken.
    LogFormat(name="combined", text=COMBINED),
    LogFormat(name="python_logging", text=rf"{_LOGGER}{_COMMON}", is_local=True),
    LogFormat(name="common", text=COMMON, is_local=True),
    LogFormat(name="main", text=COMBINED + ' "$http_x_forwarded_for"'),
    LogFormat(name="timed", text=COMBINED + " $request_time"),
    LogFormat(name="main_timed", text=COMBINED + ' "$http_x_forwarded_for" $request_time'),
    LogFormat(name="common_timed", text=COMMON + " $request_time"),  # Puma, and Apache with %T or %D
    LogFormat(
        name="ingress_nginx",
        text=COMBINED
        + " $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr "
        "$upstream_response_length $upstream_response_time $upstream_status $req_id",
    ),
    LogFormat(name="vhost_combined", text=rf"[^ ]+ {_COMMON}{_REFERER_AGENT}"),
    LogFormat(name="vhost_common", text=rf"[^ ]+ {_COMMON}"),
    LogFormat(name="lighttpd", text=rf"{_CLIENT} [^ ]+ {_USER} {_TIME} {_REQUEST} {_STATUS} {_BYTES}{_REFERER_AGENT}"),
    LogFormat(
        name="traefik",
        text=rf'{_COMMON}{_REFERER_AGENT} [-0-9]+ "{QUOTED}" "{QUOTED}" (?P<duration_ms>[-0-9]+)ms',
    ),
    LogFormat(
        name="forwarded_combined",
        text=COMBINED.replace("$remote_addr", "$http_x_forwarded_for"),
    ),
    LogFormat(
        name="haproxy",
        text=rf"(?P<client_ip>[^ ]+):[0-9]+ \[(?P<start_time>[^\]]+)\] [^ ]+ [^ ]+ (?:-?[0-9]+/){{2,4}}"
        rf"\+?(?P<duration_ms>-?[0-9]+) {_STATUS} \+?{_BYTES} [^ ]+ [^ ]+ [^ ]{{4}} [-+0-9/]+ [0-9/]+"
        rf'(?: \{{[^"]*\}})* "{REQUEST_OR_ANY}(?:"| ?$).*',
        is_local=True,
    ),
    LogFormat(
        name="envoy",
        text=rf'\[(?P<start_time>[^\]]+)\] "(?:-|(?P<method>{METHOD})) (?P<path>[^ ]*)[^"]*" {_STATUS} [^ ]+ '
        rf'(?:[^ ]+ [^ ]+ "{QUOTED}" )?[-0-9]+ {_BYTES} (?P<duration_ms>[-0-9]+) [^ ]+ "(?P<client_ip>{QUOTED})" .*',
    ),
    LogFormat(
        name="alb",
        text=rf"[a-z0-9]+ (?P<time>[^ ]+) [^ ]+ (?P<client_ip>[^ ]+):[0-9]+ [^ ]+ [-0-9.]+ "
        rf"(?P<duration_seconds>[-0-9.]+) [-0-9.]+ {_STATUS} [-0-9]+ [-0-9]+ {_BYTES} {_REQUEST} .*",
    ),
    LogFormat(
        name="elb",
        text=rf"(?P<time>[^ ]+) [^ ]+ (?P<client_ip>[^ ]+):[0-9]+ [^ ]+ [-0-9.]+ "
        rf"(?P<duration_seconds>[-0-9.]+) [-0-9.]+ {_STATUS} [-0-9]+ [-0-9]+ {_BYTES} {_REQUEST}.*",
    ),
    LogFormat(
        name="s3",
        text=rf"[^ ]+ [^ ]+ {_TIME} {_CLIENT} [^ ]+ [^ ]+ [^ ]+ [^ ]+ {_REQUEST} {_STATUS} [^ ]+ {_BYTES} [^ ]+ "
        r"(?P<duration_ms>[-0-9]+) .*",
    ),
    LogFormat(
        name="squid",
        text=rf"(?P<time>[0-9.]+) +(?P<duration_ms>-?[0-9]+) {_CLIENT} [A-Z_]+/(?P<status>[0-9]+) {_BYTES} {_WORDS} .*",
    ),
    LogFormat(name="django", text=rf"{_TIME} {_REQUEST} {_STATUS} {_BYTES}", is_local=True),
    LogFormat(
        name="aiohttp",
        text=rf"{_CLIENT} {_TIME} {_REQUEST} {_STATUS} {_BYTES}{_REFERER_AGENT}",
    ),
    LogFormat(
        name="uwsgi",
        text=rf"\[pid: [^\]]*\] {_CLIENT} \([^)]*\) \{{[^}}]*\}} {_TIME} {_WORDS} => generated {_BYTES} bytes in "
        r"(?P<duration_ms>[0-9]+) msecs \([^ ]* (?P<status>[0-9]+)\).*",
        is_local=True,
    ),
    LogFormat(
        name="gin",
        text=r"(?:\[GIN\] )?(?P<time>[0-9/]+ - [0-9:]+) \| +(?P<status>[0-9]+) \| +(?P<duration>[^ |]+) \| +"
        rf'(?P<client_ip>[^ |]+) \| +(?P<method>{METHOD}) +"(?P<path>[^"]*)".*',
        is_local=True,
    ),
    LogFormat(
        name="tornado",
        text=rf"\[[IWE] (?P<time>[0-9]{{6}} [0-9:]+) [^\]]*\] (?P<status>[0-9]+) {_WORDS} \({_CLIENT[:-1]}?)\) "
        r"(?P<duration_ms>[0-9.]+)ms",
        time_format="%y%m%d %H:%M:%S",
        is_local=True,
    ),
    LogFormat(
        name="morgan_short",
        text=rf"(?P<client_ip>[^ ]+) [^ ]+ {_WORDS} [^ ]+ {_STATUS} {_BYTES} - "
        r"(?P<duration_ms>[-0-9.]*) ?ms",
        has_time=False,
    ),
    LogFormat(name="morgan_tiny", text=rf"{_WORDS} {_STATUS} {_BYTES} - (?P<duration_ms>[-0-9.]*) ?ms", has_time=False),
    LogFormat(name="morgan_dev", text=rf"{_WORDS} {_STATUS} (?P<duration_ms>[-0-9.]*) ?ms - {_BYTES}", has_time=False),
    LogFormat(
        name="uvicorn", text=rf"(?:[A-Z]+: +)?(?P<client_ip>[^ ]+) - {_REQUEST} {_STATUS}(?: .*)?", has_time=False
    ),
    LogFormat(name="json", reader="json"),
    LogFormat(name="w3c", reader="w3c"),
    LogFormat(name="granian", text=rf"{_TIME} {_CLIENT} - {_REQUEST} {_STATUS} (?P<duration_ms>[-0-9.]+)"),
    LogFormat(name="php", text=rf"{_TIME} {_CLIENT} \[(?P<status>[0-9]+)\]: {_WORDS}(?: .*)?", is_local=True),
    LogFormat(name="combined_and_more", text=rf"{_COMMON}{_REFERER_AGENT}[ ,;|\t].*", note=_MORE),
    LogFormat(name="logfmt", reader="logfmt"),
    LogFormat(name="common_and_more", text=rf"{_COMMON}[ ,;|\t].*", note=_MORE),
)
FORMATS: Mapping[str, LogFormat] = {form.name: form for form in _NAMED}
DIALECTS = ("caddy", "traefik_json", "envoy_json", "pino", "ecs", "gcp", "cloudflare", "echo")
ALIASES: Mapping[str, LogFormat] = {
    **{name: LogFormat(name=name, reader="json", dialect=name) for name in DIALECTS},
    **{name: LogFormat(name=name, reader="w3c") for name in ("iis", "cloudfront")},
    **{name: LogFormat(name=name, text=FORMATS["combined"].text) for name in ("nginx", "apache", "gunicorn")},
    "werkzeug": LogFormat(name="werkzeug", text=rf"(?:{_LOGGER})?{_COMMON}", is_local=True),
    "http_server": LogFormat(name="http_server", text=FORMATS["common"].text, is_local=True),
    "morgan_combined": LogFormat(name="morgan_combined", text=FORMATS["combined"].text),
    "morgan_common": LogFormat(name="morgan_common", text=FORMATS["common"].text),
}
ENVELOPES = ("docker", "cri", "journald", "syslog", "rfc5424", "compose", "timestamped")
NAMES = (AUTO, *FORMATS, *ALIASES, *ENVELOPES)


def log_format(pattern: str, fields: Mapping[str, str] | None = None) -> LogFormat:
    """The form that a `pattern` means: a name, or a string that `line_pattern` takes.

    Raises
    ------
    ConfigError
        If it is not valid.

    Examples
    --------
    >>> log_format("caddy").reader, log_format("$msec $status").name
    ('json', 'a pattern of your own')
    """
    if pattern == AUTO or pattern in ENVELOPES:
        return LogFormat(name=pattern, reader="auto")
    found = FORMATS.get(pattern) or ALIASES.get(pattern)
    if found is not None:
        if found.text and fields:
            compiled(found.text, tuple(fields.items()))
        return found
    return LogFormat(name="a pattern of your own", text=_checked(pattern, fields))


def _checked(pattern: str, fields: Mapping[str, str] | None) -> str:
    is_word = pattern.replace("_", "").replace("-", "").isalnum()
    if is_word:
        raise unknown("pattern", "a name, a notation of a server or an expression", pattern, NAMES)
    compiled(pattern, tuple((fields or {}).items()))
    return pattern


@lru_cache(maxsize=128)
def compiled(text: str, fields: tuple[tuple[str, str], ...] = ()) -> LinePattern:
    """The expressions of a pattern; `fields` are field by name."""
    has_time = all(form.has_time for form in _NAMED if form.text == text)
    return line_pattern(text, dict(fields), needs_time=has_time)

"""URLs: checked on input, and shown without what could be secret."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_bare_reference, is_whole_reference

MAX_URL_LENGTH = 2048
_AUTHORITY = re.compile(r"[^/?#]*")
_BEFORE_QUERY = re.compile(r"[^?#]*")
_MALFORMED = "<malformed URL>"


def parse_http_url(url: str, *, where: str = "url") -> SplitResult:
    """Check an http(s) URL.

    Raises
    ------
    ConfigError
        Naming `where`, what was expected and what came (masked).

    Examples
    --------
    >>> parse_http_url("https://example.org/health").hostname
    'example.org'
    >>> parse_http_url("example.org")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: url: expected http://host[:port]/path or https://..., got 'example.org'
    """
    parts = _split(url, where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError.at(where, "http://host[:port]/path or https://...", mask_url(url))
    if len(url) > MAX_URL_LENGTH or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise ConfigError.at(where, f"a URL without spaces, at most {MAX_URL_LENGTH} characters", mask_url(url)[:80])
    return parts


def _split(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except (ValueError, AttributeError, TypeError):  # their texts hold parts of the URL
        raise ConfigError(
            f"{where}: expected http://host[:port]/path, got {mask_url(str(url))!r}{_hint(url)}"
        ) from None
    if _hidden_userinfo(str(url)):
        raise ConfigError(f"{where}: expected http://host[:port]/path, got {mask_url(str(url))!r}{_hint(url)}")
    return parts


def _hint(url: object) -> str:
    has_userinfo = "@" in str(url)
    return (
        "; in a user name or password write / as %2F, # as %23, ? as %3F and @ as %40; in a path or query @ as %40"
        if has_userinfo
        else ""
    )


def _hidden_userinfo(url: str) -> str:
    """What could be the user info of a URL although an unescaped `/`, `?` or `#` ends the authority before it; else ``.

    `joe:12/34@h` is read as host `joe`, port 12, path `/34@h`, and can as well be a user whose password is `12/34`:
    all before the last `@` is hidden unless nobody can have meant it as a user name and a password.
    """
    rest = _after_scheme(url)
    authority = _text(_AUTHORITY, rest)
    path_end = len(_text(_BEFORE_QUERY, rest))
    hidden = rest.rpartition("@")[0]
    if len(hidden) < len(authority) or "@" not in rest:
        return ""  # the last @ is where it belongs
    if "@" in authority:
        return hidden
    address, bracket, port = authority.rpartition("]")
    host, _, port = (f"{address}{bracket}", ":", port.removeprefix(":")) if bracket else port.partition(":")
    if _is_machine(host) and (port.isdecimal() or not port):
        return ""
    could_hold_a_password = ":" in hidden[:path_end] or "." not in authority
    return hidden if could_hold_a_password else ""


def _after_scheme(url: str) -> str:
    _, separator, rest = url.partition("://")
    return rest if separator else url.removeprefix("//")


def _text(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found.group() if found else ""


def _is_machine(host: str) -> bool:
    """Whether this names a machine and no user: localhost and addresses."""
    try:
        return host == "localhost" or bool(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return False


def _without_hidden(url: str, hidden: str) -> str:
    """The URL without its hidden user info; nothing of it if what follows could be part of a query."""
    authority = _text(_AUTHORITY, _after_scheme(url))
    is_query = len(_text(_BEFORE_QUERY, hidden)) < len(hidden)
    could_be_query = is_query and (":" not in authority or authority.rpartition(":")[2].isdecimal())
    return _MALFORMED if could_be_query else url.replace(f"{hidden}@", "", 1)


def has_hidden_userinfo(url: str) -> bool:
    """Whether a `/`, `?` or `#` that is not escaped cuts off the user info of a URL, or could.

    Examples
    --------
    >>> has_hidden_userinfo("wss://joe:p/w@example.org/"), has_hidden_userinfo("wss://joe:p%2Fw@example.org/")
    (True, False)
    """
    return bool(_hidden_userinfo(url))


def mask_url(url: str) -> str:
    """The URL without user name, password, query and fragment: what is shown, logged and recorded.

    A password in which `/`, `?` or `#` is not escaped is left out as well, also where it reads as a port.

    Examples
    --------
    >>> mask_url("https://joe:pw@example.org:8443/a?token=1#x")
    'https://example.org:8443/a'
    >>> mask_url("https://joe:12/34@example.org/a")
    'https://example.org/a'
    """
    hidden = _hidden_userinfo(url)
    if hidden:
        url = _without_hidden(url, hidden)
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MALFORMED
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.netloc else parts.path.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, path, "", ""))


def recordable_url(url: str) -> str:
    """The URL as a recording may keep it: user info and query only where they are references, and no fragment.

    Examples
    --------
    >>> recordable_url("https://joe:${PW}@example.org/a?token=${TOKEN}&customer=7#x")
    'https://example.org/a?token=${TOKEN}'
    >>> recordable_url("env:HEALTH_URL")
    'env:HEALTH_URL'
    """
    hidden = _hidden_userinfo(url)
    if hidden:
        url = _without_hidden(url, hidden)
    if is_whole_reference(url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MALFORMED
    userinfo, _, host = parts.netloc.rpartition("@")
    is_kept = bool(userinfo) and all(is_bare_reference(part) for part in userinfo.split(":") if part)
    pairs = [pair for pair in parts.query.split("&") if is_bare_reference(pair.partition("=")[2])]
    netloc = f"{userinfo}@{host}" if is_kept else host
    return urlunsplit((parts.scheme, netloc, parts.path, "&".join(pairs), ""))

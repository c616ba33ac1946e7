"""URLs: checked at the door, and shown without what could be secret."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from aiops_nb.core.errors import ConfigError

MAX_URL_LENGTH = 2048


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
    except (ValueError, AttributeError, TypeError) as problem:
        shown = mask_url(str(url))
        raise ConfigError(f"{where}: expected http://host[:port]/path, got {shown!r} ({problem})") from None
    return parts


def mask_url(url: str) -> str:
    """The URL without user name, password, query and fragment: what is shown, logged and recorded.

    Examples
    --------
    >>> mask_url("https://joe:pw@example.org:8443/a?token=1#x")
    'https://example.org:8443/a'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<malformed URL>"
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.netloc else parts.path.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, path, "", ""))

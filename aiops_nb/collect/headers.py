"""What to probe, and how: checked when it is made, safe to show."""

from __future__ import annotations

import re

from aiops_nb.core.errors import ConfigError

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2


def check_header(name: str, value: str) -> None:
    """Refuse a header that would be more than one; the value is never shown.

    Examples
    --------
    >>> check_header("X-Key", "a")
    """
    if not _TOKEN.fullmatch(name):
        raise ConfigError.at("headers", "a header name such as X-Api-Key", name)
    if any(c in value for c in "\r\n\0"):
        raise ConfigError(f"headers[{name!r}]: expected a value on one line, got a line break or NUL in it")

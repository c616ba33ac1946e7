"""The URL of a WebSocket feed, checked at the door."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.urls import mask_url


def host_of(url: str) -> str:
    """The host of a `ws://` or `wss://` URL.

    Raises
    ------
    ConfigError
        If it is no such URL; the message does not show its query.

    Examples
    --------
    >>> host_of("wss://feed.example.org/events?token=1")
    'feed.example.org'
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("ws", "wss") or any(ord(sign) <= 32 for sign in url):
        raise ConfigError.at("url", "ws://host[:port]/path or wss://...", mask_url(url))
    return host

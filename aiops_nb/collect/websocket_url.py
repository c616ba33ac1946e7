"""The URL and the options of a WebSocket feed, checked at the door."""

from __future__ import annotations

from collections.abc import Sequence
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


def check_options(say: object, ping_seconds: float, max_message_bytes: int) -> None:
    """Check what a feed is opened with.

    Examples
    --------
    >>> check_options("hello", 20.0, 1)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: say: expected a list of texts, got 'hello'
    """
    if isinstance(say, str) or not (isinstance(say, Sequence) and all(isinstance(text, str) for text in say)):
        raise ConfigError.at("say", "a list of texts", say)
    if not ping_seconds > 0:
        raise ConfigError.at("ping_seconds", "a number > 0", ping_seconds)
    if max_message_bytes < 1:
        raise ConfigError.at("max_message_bytes", "a number >= 1", max_message_bytes)

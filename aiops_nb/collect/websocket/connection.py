"""How a WebSocket feed is opened."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from aiops_nb.collect.authorities import check_ca_file, default_ca_file
from aiops_nb.collect.names import ascii_host, ascii_url
from aiops_nb.core.errors import ConfigError, MissingExtraError
from aiops_nb.core.urls import has_hidden_userinfo, mask_url

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 1.0
QUEUED_FRAMES = 64  # then the library stops reading, and TCP makes the server wait
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class FeedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed is opened with; see `WebSocketClient`.

    Raises
    ------
    ConfigError
        Naming the option.

    Examples
    --------
    >>> FeedOptions(ping_seconds=0, max_message_bytes=1)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: ping_seconds: expected a number > 0, got 0
    """

    ping_seconds: float
    max_message_bytes: int
    say: tuple[str, ...] = ()
    subprotocols: tuple[str, ...] = ()
    ca_file: str | None = None

    def __post_init__(self) -> None:
        if not self.ping_seconds > 0:
            raise ConfigError.at("ping_seconds", "a number > 0", self.ping_seconds)
        if self.max_message_bytes < 1:
            raise ConfigError.at("max_message_bytes", "a number >= 1", self.max_message_bytes)
        _check_texts("say", self.say)
        _check_texts("subprotocols", self.subprotocols)
        if self.ca_file is not None:
            check_ca_file(self.ca_file, "ca_file")


def _check_texts(where: str, texts: object) -> None:
    if isinstance(texts, str) or not (isinstance(texts, Sequence) and all(isinstance(text, str) for text in texts)):
        raise ConfigError.at(where, "a list of texts", texts)


def check_extra() -> None:
    """Check that the package `websockets` is there.

    Raises
    ------
    MissingExtraError
        With its install line.
    """
    try:
        import websockets.sync.client  # noqa: F401
    except ImportError:
        raise MissingExtraError("WebSocket feeds", "websocket") from None


def opened(url: str, host: str, headers: Mapping[str, str], options: FeedOptions) -> ClientConnection:
    """A connection, to be entered as a context: only so it is what it was in every version of the library.

    Raises
    ------
    OSError, websockets.exceptions.WebSocketException
        If the server cannot be reached or speaks no WebSocket.
    """
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    return connect(
        ascii_url(url),
        additional_headers=headers,
        user_agent_header="aiops-nb",
        subprotocols=[Subprotocol(name) for name in options.subprotocols] or None,
        ssl=_context(options) if url.startswith("wss:") else None,
        proxy=None if host in _LOOPBACK else True,  # a proxy's loopback is not ours
        open_timeout=OPEN_SECONDS,
        ping_interval=options.ping_seconds,
        ping_timeout=options.ping_seconds,
        close_timeout=CLOSE_SECONDS,
        max_size=options.max_message_bytes,
        max_queue=QUEUED_FRAMES,
    )


def _context(options: FeedOptions) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=options.ca_file or default_ca_file())


def reason_of(problem: Exception) -> str:
    """What went wrong: the system's words, those of OpenSSL or of the library.

    Examples
    --------
    >>> reason_of(ConnectionRefusedError(111, "Connection refused")), reason_of(EOFError())
    ('Connection refused', 'EOFError')
    """
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"TLS failed: {problem.verify_message}"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def message_lines(message: bytes) -> bytes:
    r"""The lines of one message, each with its end; one that is neither object nor array is a line as it is.

    Examples
    --------
    >>> message_lines(b'{\n "a": 1}'), message_lines(b'[{"a": 1}, {"a": 2}]'), message_lines(b"[{")
    (b'{  "a": 1}\n', b'{"a": 1}\n{"a": 2}\n', b'[{\n')
    """
    if message.lstrip()[:1] != b"[":
        return _line(message)
    try:
        return b"".join(_line(bytes(element)) for element in _ARRAY.decode(message))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _line(message)


def _line(text: bytes) -> bytes:
    """A line end in JSON is a space like another: strings hold none."""
    return text.replace(b"\n", b" ") + b"\n"


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
        ascii_host(host or "")
    except ValueError:
        host = None
    if (
        host is None
        or has_hidden_userinfo(url)
        or parts.scheme not in ("ws", "wss")
        or any(ord(sign) <= 32 for sign in url)
    ):
        raise ConfigError.at("url", "ws://host[:port]/path or wss://...", mask_url(url))
    return host

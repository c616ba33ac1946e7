"""JSON from a WebSocket feed, connected to again and again."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from aiops_nb.collect.backoff import Backoff
from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.collect.sockets.reconnecting import ReconnectingClient
from aiops_nb.collect.sockets.wait import GATHER_BYTES, GATHER_SECONDS
from aiops_nb.collect.websocket.connection import FeedOptions, check_extra, host_of, message_lines, opened, reason_of
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.references import resolved_text
from aiops_nb.core.urls import mask_url

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

MESSAGE_TOO_BIG = 1009  # RFC 6455, 7.4.1


class WebSocketClient(ReconnectingClient["ClientConnection"]):
    """Reads a feed: a JSON object or an array of them in each message; see `JsonLines` for what an object is.

    A connection that ends, does not answer a ping or cannot be made is tried again, later each time. Until it works,
    `poll` raises OSError, so that the gap is shown as one; no row is invented for it. Messages may be compressed
    (permessage-deflate).

    Parameters
    ----------
    url
        `ws://` or `wss://`; its query is never shown, nor what references in it stand for.
    name
        The `source` of the rows.
    say
        Messages to send after each connection, such as a subscription.
    headers
        Of the handshake; a value may be `env:NAME`, `file:PATH` or hold `${NAME}`.
    subprotocols
        Offered to the server, the best first; which one was chosen does not change how messages are read.
    ca_file
        A PEM file of the authorities to trust, instead of this system's.
    host_label
        The `target` of the samples that events of the older tool carry; by default the host of the URL.
    unknown_fields
        What becomes of fields that no column is for: `drop` counts them, `keep` also puts them into `extra`.
    ping_seconds
        How often the server is asked whether it is there, and how long it has to answer.
    max_message_bytes
        A longer message ends the connection.
    first_backoff_seconds, longest_backoff_seconds
        The wait after the first failure, which doubles up to the limit.
    clock
        Measures how much of a wait has passed.
    rng
        Draws the jitter of the waits.

    Raises
    ------
    ConfigError
        If the URL is not that of a WebSocket, or a header cannot be read.
    MissingExtraError
        If the package `websockets` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "websocket",
        say: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
        ca_file: str | None = None,
        host_label: str | None = None,
        unknown_fields: UnknownFields = "drop",
        ping_seconds: float = 20.0,
        max_message_bytes: int = 1 << 20,
        first_backoff_seconds: float = 0.5,
        longest_backoff_seconds: float = 30.0,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        check_extra()
        self._url, shown_url = resolved_text(url, "url"), mask_url(url)
        self._host = host_of(self._url)
        self._options = FeedOptions(
            ping_seconds=ping_seconds,
            max_message_bytes=max_message_bytes,
            say=say,
            subprotocols=subprotocols,
            ca_file=ca_file,
        )
        inlet = JsonInlet(name, host_label or self._host, unknown_fields, max_message_bytes)
        backoff = Backoff(
            clock or SystemClock(),
            rng,
            first_seconds=first_backoff_seconds,
            longest_seconds=longest_backoff_seconds,
        )
        super().__init__(name, shown_url, inlet, backoff)
        self._totals["messages_total"] = 0
        self._headers = SecretHeaders(headers or {})
        self._open = ExitStack()

    def close(self) -> None:
        """Close the connection; ends a waiting `poll`."""
        self._closing.set()
        connection = self._connection
        if connection is not None:
            connection.close()
        with self._lock:
            self._hang_up()

    def _opened(self) -> ClientConnection:
        from websockets.exceptions import WebSocketException

        try:
            connection: ClientConnection = self._open.enter_context(
                opened(self._url, self._host, self._headers.resolve(), self._options)
            )
            for message in self._options.say:
                connection.send(message)
        except (OSError, WebSocketException) as problem:
            self._hang_up()
            raise ConnectionError(self._reason(problem)) from None
        return connection

    def _gather(self, timeout_seconds: float) -> None:
        """What comes until the timeout, and a moment more after the first message, so that not every one is a batch."""
        end_seconds, read_bytes = time.monotonic() + timeout_seconds, 0
        while read_bytes < GATHER_BYTES:
            message = self._message(end_seconds - time.monotonic())
            if message is None:
                return
            if read_bytes == 0:
                end_seconds = min(end_seconds, time.monotonic() + GATHER_SECONDS)
            read_bytes += len(message) + 1
            self._inlet.put(message_lines(message))
            self._inlet.bytes_total += len(message)
            self._totals["messages_total"] += 1
            self.backoff.succeeded()  # not before: a server may accept and say nothing

    def _message(self, timeout_seconds: float) -> bytes | None:
        from websockets.exceptions import ConnectionClosed

        if self._connection is None:
            return None
        try:
            return self._connection.recv(max(0.0, timeout_seconds), decode=False)
        except TimeoutError:
            return None
        except ConnectionClosed as problem:
            is_too_long = problem.sent is not None and problem.sent.code == MESSAGE_TOO_BIG
            self._hang_up()
            self._failed(self._reason(self._too_long() if is_too_long else problem))
            return None

    def _too_long(self) -> Exception:
        self._inlet.reject_too_long(b"")  # the library ends the connection before it reads it
        return OSError(
            f"a message of more than max_message_bytes ({self._options.max_message_bytes:,}) ended the connection"
        )

    def _reason(self, problem: Exception) -> str:
        return reason_of(problem).replace(self._url, self._server)

    def _hang_up(self) -> None:
        self._connection = None
        self._open.close()

"""Which network calls a piece of code makes, seen by an audit hook."""

from __future__ import annotations

import sys
import threading
from typing import Any, ClassVar

NETWORK_EVENTS = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})


class NetworkWatch:
    """The network events of this thread while it is entered; an audit hook cannot be removed, so there is one.

    Examples
    --------
    >>> import socket
    >>> with NetworkWatch() as events, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    ...     one.connect(("127.0.0.1", 9))
    >>> events
    ['socket.connect']
    """

    _lists: ClassVar[dict[int, list[str]]] = {}
    _is_hooked = False

    def __enter__(self) -> list[str]:
        if not NetworkWatch._is_hooked:
            NetworkWatch._is_hooked = True
            sys.addaudithook(_note)
        return NetworkWatch._lists.setdefault(threading.get_ident(), [])

    def __exit__(self, *_: Any) -> None:
        del NetworkWatch._lists[threading.get_ident()]


def _note(event: str, _: Any) -> None:
    if event in NETWORK_EVENTS:
        events = NetworkWatch._lists.get(threading.get_ident())
        if events is not None:
            events.append(event)

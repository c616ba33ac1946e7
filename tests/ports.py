"""Ports where a server is started later, or never."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Below what systems hand out by themselves (from 32,768 on Linux), so that no other test is given one meanwhile.
FIRST, LAST = 10_000, 32_000
_ANY = random.SystemRandom()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    while True:
        port = _ANY.randint(FIRST, LAST)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port

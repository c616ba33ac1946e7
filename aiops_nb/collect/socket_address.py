"""Addresses: checked at the door."""

from __future__ import annotations

import socket

from aiops_nb.core.errors import ConfigError


def family_of(host: str, port: int) -> socket.AddressFamily:
    """IPv4 or IPv6, as the host is written or found.

    Raises
    ------
    OSError
        If there is no such host.

    Examples
    --------
    >>> family_of("127.0.0.1", 80).name, family_of("::1", 80).name
    ('AF_INET', 'AF_INET6')
    """
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]


def bound_error(listen_on: str, port: int, problem: Exception) -> ConfigError:
    """What to say when a port cannot be listened on."""
    return ConfigError(
        f"listen_on: expected an address of this machine and a free port, got '{listen_on}:{port}' ({problem})"
    )


def check_port(port: int) -> None:
    """Check a port to connect to.

    Examples
    --------
    >>> check_port(0)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: port: expected 1 to 65535, got 0
    """
    if not 0 < port < 65_536:
        raise ConfigError.at("port", "1 to 65535", port)

"""Addresses: checked on input."""

from __future__ import annotations

import errno
import os
import socket

from aiops_nb.collect.names import ascii_host
from aiops_nb.core.errors import ConfigError

_NOT_ALLOWED = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}


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
    """What to say when a port cannot be listened on: which field, and what to do.

    Examples
    --------
    >>> print(bound_error("127.0.0.1", 9001, OSError(errno.EADDRINUSE, "Address already in use")))
    port: expected one that is free on 127.0.0.1, got 9001, on which another program listens; choose another or end that
    """
    number = problem.errno if isinstance(problem, OSError) else None
    if not (isinstance(port, int) and 0 <= port < 65_536):
        return ConfigError.at("port", "0 to 65535", port)
    if number == errno.EADDRINUSE:
        taken = f"got {port}, on which another program listens; choose another or end that"
        return ConfigError(f"port: expected one that is free on {listen_on}, {taken}")
    if number in _NOT_ALLOWED:
        return ConfigError.at("port", "one that this user may listen on, such as 1024 and above", port)
    reason = os.strerror(number) if number == errno.EADDRNOTAVAIL else getattr(problem, "strerror", problem)
    return ConfigError(f"listen_on: expected an address of this machine, got {listen_on!r} ({reason})")


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


def check_host(host: str) -> None:
    """Check the host of a server to connect to.

    Examples
    --------
    >>> check_host("tcp://example.org:9000")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: host: expected a name or an address, got 'tcp://example.org:9000'
    """
    if not host or not set(host).isdisjoint("/@ \t\r\n\0"):
        raise ConfigError.at("host", "a name or an address", host)
    ascii_host(host, "host")

"""Who counts as one client, and how much is kept about clients."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from msgspec import Meta, Struct

Cells = Annotated[int, Meta(ge=1 << 10, le=1 << 28)]
Most = Annotated[int, Meta(ge=16, le=1 << 15)]
Positive = Annotated[float, Meta(gt=0)]


class ClientParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clients of traffic: identity, memory, and who is left out.

    Attributes
    ----------
    ignore
        Addresses and networks that the clients' features and rules do not see at all, such as a health checker or a
        known proxy: `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`.
    ipv4_prefix_bits
        One client is one network of this size: 32 is a single address, 24 hides the last number of it.
    ipv6_prefix_bits
        The same for IPv6, at most 64: whoever has one address has the whole /64 around it.
    max_clients
        Clients that are counted one by one; when they are many, the quietest make room for others.
    followed_clients
        Of how many of them, the busiest, it is known what they ask for and at which intervals.
    top_clients
        Rows of the table `clients` in each window.
    new_seconds
        For how long, up to twice that, a client counts as new after it was first seen.
    known_seconds
        How long, up to twice that, a client stays known after it was last seen.
    known_cells
        Size of the memory of known clients, one byte each; a power of two. It takes in a fifth as many clients.
    warmup_seconds
        Nothing is judged before, at least until a whole span and 10 s more were seen; who is busy then is taken as
        regular.
    settle_seconds
        A client so old has a baseline number of requests of its own, the mean over this time.
    accept_seconds
        What stays anomalous for so long is taken as the baseline.
    """

    ignore: tuple[str, ...] = ()
    ipv4_prefix_bits: Annotated[int, Meta(ge=8, le=32)] = 32
    ipv6_prefix_bits: Annotated[int, Meta(ge=16, le=64)] = 64
    max_clients: Most = 8192
    followed_clients: Annotated[int, Meta(ge=1, le=4096)] = 256
    top_clients: Annotated[int, Meta(ge=1, le=1000)] = 50
    new_seconds: Positive = 30.0
    known_seconds: Positive = 86_400.0
    known_cells: Cells = 1 << 21
    warmup_seconds: Positive = 120.0
    settle_seconds: Positive = 600.0
    accept_seconds: Positive = 3600.0

    def __post_init__(self) -> None:
        for place, text in enumerate(self.ignore):
            _network(text, f"ignore[{place}]")
        if self.known_cells & (self.known_cells - 1):
            raise ValueError(f"known_cells: expected a power of two, got {self.known_cells}")

    @property
    def ignored_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`ignore`, parsed."""
        return tuple(_network(text, "ignore") for text in self.ignore)


def _network(text: str, where: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{where}: expected an address or a network such as 10.0.0.0/8, got {text!r}") from None
    return network

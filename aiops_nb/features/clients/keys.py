"""Texts of `client_ip` to 64-bit identities of clients, and back to names.

An IPv6 network of up to 64 bits is its own number; IPv4 and other texts (host names, pseudonyms) lie in blocks that are
not given out as IPv6 addresses.
"""

from __future__ import annotations

import hashlib
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aiops_nb import kernel
from aiops_nb.core.types import BoolArray, IntArray
from aiops_nb.features.clients.params import ClientParams

KeyArray = npt.NDArray[np.uint64]
LONGEST_NAME = 64
_IPV4 = 1 << 48
_TEXT = 0xFF << 56
_UNKNOWN, _MOST_PARSED = -1, 1 << 15
_MAPPED = bytes(10) + b"\xff\xff"


class ClientKeys:
    """Gives each text its key; equal for all addresses of one network.

    `203.0.113.7`, `203.0.113.7:52144` and `::ffff:203.0.113.7` are one client. What is no address is a client by its
    text: without control characters and slashes, cut to 64 characters.

    Examples
    --------
    >>> keys = ClientKeys(ClientParams(ipv4_prefix_bits=24))
    >>> found = keys.of(pa.array(["203.0.113.7", "203.0.113.9:80", "2001:db8::1", "crawler.example.org"]))
    >>> [keys.name(key, "crawler.example.org") for key in found.tolist()]
    ['203.0.113.0/24', '203.0.113.0/24', '2001:db8::/64', 'crawler.example.org']
    """

    def __init__(self, params: ClientParams) -> None:
        self._bits4, self._bits6 = params.ipv4_prefix_bits, params.ipv6_prefix_bits
        self._parsed: dict[str, int] = {}
        self._ignored = [_key_range(network) for network in params.ignored_networks]

    def of(self, texts: pa.Array) -> KeyArray:
        """Keys of texts without nulls, (n,)."""
        return self._grouped(self._whole(texts))

    def wanted(self, texts: pa.Array) -> tuple[KeyArray, BoolArray]:
        """Keys, and where `ignore` does not leave the client out, each (n,)."""
        whole = self._whole(texts)
        wanted = np.ones(len(whole), np.bool_)
        for first, last in self._ignored:
            wanted &= (whole < first) | (whole > last)
        return self._grouped(whole), wanted

    def _whole(self, texts: pa.Array) -> KeyArray:
        """Keys before they are grouped: every address of IPv4, every /64 of IPv6."""
        addresses, known = ipv4_addresses(texts)
        keys: KeyArray = addresses | np.uint64(_IPV4)
        if not known.all():
            others = np.flatnonzero(~known)
            distinct = texts.take(pa.array(others)).dictionary_encode()
            keys[others] = self._parsed_keys(distinct.dictionary.to_pylist())[np.asarray(distinct.indices)]
        return keys

    def _parsed_keys(self, names: list[str]) -> KeyArray:
        keys = [self._parsed.get(name, _UNKNOWN) for name in names]
        if _UNKNOWN in keys:
            keys = [self._parse(name) if key == _UNKNOWN else key for name, key in zip(names, keys, strict=True)]
        return np.array(keys, np.uint64)

    def _parse(self, text: str) -> int:
        key = _key_of(text)
        if len(text) <= LONGEST_NAME:  # a long one would cost more to keep than to parse again
            if len(self._parsed) >= _MOST_PARSED:
                self._parsed.clear()
            self._parsed[text] = key
        return key

    def _grouped(self, keys: KeyArray) -> KeyArray:
        tag = keys >> np.uint64(32)
        masks = np.full(len(keys), _mask(64, self._bits6), np.uint64)
        masks[tag == _IPV4 >> 32] = np.uint64(_IPV4 | _mask(32, self._bits4))
        masks[self.is_text(keys)] = np.uint64((1 << 64) - 1)
        grouped: KeyArray = keys & masks
        return grouped

    def is_text(self, keys: KeyArray) -> BoolArray:
        """Which keys stand for what is no address, (n,)."""
        text: BoolArray = keys >= np.uint64(_TEXT)
        return text

    def name(self, key: int, text: str) -> str:
        """Name of a client; `text` is one of the texts that gave the key."""
        if key >= _TEXT:
            return _printable(text)
        if key >> 32 == _IPV4 >> 32:
            address = str(IPv4Address(key & 0xFFFFFFFF))
            return address if self._bits4 == 32 else f"{address}/{self._bits4}"
        return f"{IPv6Address(key << 64)}/{self._bits6}"


def rows_of_client(texts: pa.Array, name: str) -> BoolArray:
    """Which texts, null allowed, belong to the client of this name, (n,)."""
    try:
        network = ip_network(name)
    except ValueError:
        first = last = np.uint64(_key_of(name))
    else:
        first, last = _key_range(network)
    distinct = texts.dictionary_encode()
    keys = ClientKeys(ClientParams()).of(distinct.dictionary)
    belongs = np.append((keys >= first) & (keys <= last), False)
    rows: BoolArray = belongs[np.asarray(distinct.indices.fill_null(len(belongs) - 1))]
    return rows


def _mask(width: int, bits: int) -> int:
    return ((1 << bits) - 1) << (width - bits)


def _key_range(network: IPv4Network | object) -> tuple[np.uint64, np.uint64]:
    first, last = int(network[0]), int(network[-1])  # type: ignore[index]
    if isinstance(network, IPv4Network):
        return np.uint64(_IPV4 | first), np.uint64(_IPV4 | last)
    return np.uint64(first >> 64), np.uint64(last >> 64)


def _key_of(text: str) -> int:
    try:
        return _IPV4 | int.from_bytes(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):  # ValueError: it holds a NUL
        return _key_of_other(_printable(text))


def _key_of_other(text: str) -> int:
    packed = _packed(text)
    if packed is None:
        digest = hashlib.blake2b(text.encode(), digest_size=7).digest()
        return _TEXT | int.from_bytes(digest)
    return _IPV4 | int.from_bytes(packed) if len(packed) == 4 else int.from_bytes(packed[:8])


def _packed(text: str) -> bytes | None:
    """4 bytes of IPv4, 16 of IPv6; a port is left off, as load balancers log one. None: it is no address."""
    if text.count(":") == 1:
        text = text.partition(":")[0]
    elif text.startswith("["):
        text = text[1:].partition("]")[0]
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        packed = socket.inet_pton(family, text)
    except OSError:
        return None
    if packed.startswith(_MAPPED):
        return packed[12:]
    return None if packed[0] == 0xFF else packed


def _printable(text: str) -> str:
    """A name that can be shown; neither that of a network nor one of ours, such as `__other__`."""
    letters = (letter if letter.isprintable() else " " for letter in text[:LONGEST_NAME])
    return "".join(letters).replace("/", "_").strip(" _") or "-"


ByteArray = npt.NDArray[np.uint8]
LongArray = npt.NDArray[np.uint64]
_DOT, _ZERO = ord("."), ord("0")
_AHEAD = 3  # bytes before all texts, as many as an octet has


def ipv4_addresses(texts: pa.Array) -> tuple[LongArray, BoolArray]:
    """Numbers of what is an address in its standard form, and where it is one, each (n,); 0 elsewhere.

    Examples
    --------
    >>> address, known = ipv4_addresses(pa.array(["0.0.1.2", "0.0.0.256", "host", None, "010.0.0.1"]))
    >>> address.tolist(), known.tolist()
    ([258, 0, 0, 0, 0], [True, False, False, False, False])
    """
    if kernel.compiled is not None and len(texts):
        _, offsets, data = texts.cast(pa.string()).buffers()
        compiled = np.empty(len(texts), np.uint64), np.empty(len(texts), np.bool_)
        kernel.compiled.ipv4(offsets, data or b"", *compiled, texts.offset)
        return compiled
    bounds, letters = _bytes_of(texts)
    dots = np.flatnonzero(letters == _DOT)
    addresses, known = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.bool_)
    rows, edges = _edges(bounds, dots)
    addresses[rows], known[rows] = _octets(letters, edges)
    return addresses, known


def _bytes_of(texts: pa.Array) -> tuple[IntArray, ByteArray]:
    """Where each text begins, and the last ends, (n + 1,), in the bytes of all."""
    _, offsets, data = texts.cast(pa.string()).buffers()
    if offsets is None or not len(texts):
        return np.full(len(texts) + 1, _AHEAD), np.zeros(_AHEAD, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    letters = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
    return bounds + (_AHEAD - bounds[0]), np.concatenate([np.zeros(_AHEAD, np.uint8), letters])


def _edges(bounds: IntArray, dots: IntArray) -> tuple[IntArray | slice, IntArray]:
    """Texts with three dots, and what lies around their octets: the byte before, three dots, the end; (5, texts)."""
    starts, ends = bounds[:-1], bounds[1:]
    if len(dots) == 3 * len(starts) and (dots[::3] >= starts).all() and (dots[2::3] < ends).all():
        return slice(None), np.stack([starts - 1, dots[::3], dots[1::3], dots[2::3], ends])
    first = np.searchsorted(dots, bounds)
    rows = np.flatnonzero(np.diff(first) == 3)
    first = first[rows]
    return rows, np.stack([starts[rows] - 1, dots[first], dots[first + 1], dots[first + 2], ends[rows]])


def _octets(letters: ByteArray, edges: IntArray) -> tuple[LongArray, BoolArray]:
    """Addresses, and where there are four octets of 0 to 255 without leading zeros."""
    length, ends = np.minimum(np.diff(edges, axis=0) - 1, 4).astype(np.uint8), edges[1:]
    two, three = length >= 2, length >= 3
    ones, tens, hundreds = (letters.take(ends - place) - np.uint8(_ZERO) for place in (1, 2, 3))
    tens *= two
    hundreds *= three
    values = hundreds * np.uint16(100)
    values += tens * np.uint16(10)
    values += ones
    known = (ones <= 9) & (tens <= 9) & (hundreds <= 9) & (length >= 1) & (length <= 3) & (values <= 255)
    known &= (values >= 10) | ~two
    known &= (values >= 100) | ~three
    valid = known.all(axis=0)
    high, low = values[0] << np.uint16(8) | values[1], values[2] << np.uint16(8) | values[3]
    return np.where(valid, high.astype(np.uint64) << np.uint64(16) | low, np.uint64(0)), valid

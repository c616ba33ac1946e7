"""Who calls: regulars by Zipf's law, newcomers who stay for an hour, and the addresses that floods come from."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address

import numpy as np
import pyarrow as pa

from aiops_nb.collect.synthetic.shape import Shape
from aiops_nb.core.types import FloatArray, IntArray

ATTACKERS = 16_384
FLOOD_CLIENTS = 4_096
_STAY_PARTS = 24  # of the newcomers are there at a time, and a day passes all of them
_DAY_SECONDS = 86_400
# Regulars from a private network, newcomers from carriers' (RFC 6598), floods from those of benchmarks (RFC 2544):
# none of these is anybody's.
_REGULAR, _NEWCOMER, _ATTACKER = (int(IPv4Address(first)) for first in ("10.0.0.1", "100.64.0.1", "198.18.0.1"))


@lru_cache(maxsize=4)
def addresses(regular_clients: int, newcomer_clients: int) -> pa.Array:
    """Addresses by client number: regulars, newcomers, attackers.

    Examples
    --------
    >>> addresses(2, 1)[1:4].to_pylist()
    ['10.0.0.2', '100.64.0.1', '198.18.0.1']
    """
    counts = ((_REGULAR, regular_clients), (_NEWCOMER, newcomer_clients), (_ATTACKER, ATTACKERS))
    return pa.array([_dotted(first + i) for first, count in counts for i in range(count)])


def _dotted(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def clients(shape: Shape, epoch_seconds: IntArray, chance: FloatArray) -> IntArray:
    """Number of the client of each request, (rows,), from one uniform draw each."""
    regular = np.searchsorted(_shares(shape.regular_clients, shape.client_exponent), _rest(shape, chance), "right")
    chosen: IntArray = np.minimum(regular, shape.regular_clients - 1)
    new = np.flatnonzero(chance < shape.newcomer_ratio)
    if len(new):
        chosen[new] = shape.regular_clients + _newcomers(shape, epoch_seconds[new], chance[new])
    return chosen


def attacker(shape: Shape, place: int, chance: FloatArray, many: bool) -> IntArray:
    """Number of the client of each request of the fault at `place`: one and the same, or one of 4,096."""
    first = shape.regular_clients + shape.newcomer_clients
    spread = (chance * FLOOD_CLIENTS).astype(np.int64) if many else np.zeros(len(chance), np.int64)
    numbers: IntArray = first + (place * (FLOOD_CLIENTS + 1) + spread) % ATTACKERS
    return numbers


def zipf_shares(count: int, exponent: float) -> FloatArray:
    """Shares of ranks 1 to `count`, (count,), summing to 1.

    Examples
    --------
    >>> zipf_shares(3, 1.0).round(2)
    array([0.55, 0.27, 0.18])
    """
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    shares: FloatArray = weights / weights.sum()
    return shares


@lru_cache(maxsize=16)
def _shares(count: int, exponent: float) -> FloatArray:
    return np.cumsum(zipf_shares(count, exponent))


def _rest(shape: Shape, chance: FloatArray) -> FloatArray:
    """What is left of the draw once it has said that this is no newcomer, uniform again."""
    rest: FloatArray = (chance - shape.newcomer_ratio) / max(1.0 - shape.newcomer_ratio, 1e-9)
    return rest


def _newcomers(shape: Shape, epoch_seconds: IntArray, chance: FloatArray) -> IntArray:
    pool = shape.newcomer_clients
    present = max(1, pool // _STAY_PARTS)
    first = epoch_seconds % _DAY_SECONDS * pool // _DAY_SECONDS
    number: IntArray = (first + (chance / shape.newcomer_ratio * present).astype(np.int64)) % pool
    return number

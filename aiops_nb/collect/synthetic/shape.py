"""How a synthetic stream deviates from coin tosses: its rhythm, its heavy tail, who is popular, who calls."""

from __future__ import annotations

import msgspec

from aiops_nb.collect.synthetic.checks import check_number, zone_of

_POOL = 65_536  # addresses are strings in memory, made once
_RANGES = {
    "day_swing_ratio": (0.0, 0.9),
    "peak_hour": (0.0, 24.0),
    "weekend_ratio": (0.0, 10.0),
    "wander_ratio": (0.0, 1.0),
    "popularity_exponent": (0.0, 10.0),
    "speed_sigma": (0.0, 3.0),
    "load_ratio": (0.0, 10.0),
    "tail_ratio": (0.0, 1.0),
    "tail_index": (0.1, 100.0),
    "regular_clients": (1, _POOL),
    "client_exponent": (0.0, 10.0),
    "newcomer_ratio": (0.0, 1.0),
    "newcomer_clients": (1, _POOL),
}


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes traffic look like traffic. The defaults are those of a service that people use.

    Attributes
    ----------
    timezone
        IANA name of the zone whose days and weeks the traffic follows, daylight saving included.
    day_swing_ratio
        By how much of its mean the day's rate rises at `peak_hour`, 0 to 0.9; at night it falls by 0.8 of that.
    peak_hour
        Local hour of the daily peak, 0 to 24.
    weekend_ratio
        Rate on Saturdays and Sundays by that of other days, >= 0.
    wander_ratio
        Standard deviation of the rate's slow wandering, over about ten minutes, by its mean.
    popularity_exponent
        Zipf exponent of the targets: the k-th has a share of traffic in proportion to `k ** -exponent`. 0 = all alike.
    speed_sigma
        Standard deviation of the logarithm of the targets' median latencies.
    load_ratio
        By how much of itself the median latency rises when the rate doubles from its mean.
    tail_ratio, tail_index
        Share of requests in the tail, and the index (> 0) of its Pareto distribution: 1.5 has a mean and no variance.
    regular_clients, client_exponent
        Number of clients that come again and again, and their Zipf exponent.
    newcomer_ratio, newcomer_clients
        Share of requests from clients that come for about an hour, and how many addresses they have altogether: one
        comes back a day later.

    Examples
    --------
    >>> Shape(timezone="Europe/Paris").weekend_ratio
    0.6
    >>> Shape(timezone="Mars/Base")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: timezone: expected an IANA zone such as Europe/Paris, got 'Mars/Base'
    """

    timezone: str = "UTC"
    day_swing_ratio: float = 0.5
    peak_hour: float = 14.0
    weekend_ratio: float = 0.6
    wander_ratio: float = 0.05
    popularity_exponent: float = 1.0
    speed_sigma: float = 0.4
    load_ratio: float = 0.2
    tail_ratio: float = 0.01
    tail_index: float = 1.5
    regular_clients: int = 2_000
    client_exponent: float = 0.8
    newcomer_ratio: float = 0.03
    newcomer_clients: int = 20_000

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        for name, (low, high) in _RANGES.items():
            check_number(name, getattr(self, name), low, high)


FLAT = Shape(
    day_swing_ratio=0.0,
    weekend_ratio=1.0,
    wander_ratio=0.0,
    popularity_exponent=0.0,
    speed_sigma=0.0,
    load_ratio=0.0,
    tail_ratio=0.0,
)
"""No rhythm, no tail, all targets alike: what is left is Poisson arrivals and log-normal latency."""

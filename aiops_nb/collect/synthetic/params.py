"""What a synthetic stream is made of, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from aiops_nb.collect.synthetic.checks import check_number
from aiops_nb.collect.synthetic.faults import Fault, FaultLabel, check_faults, label_of
from aiops_nb.collect.synthetic.shape import Shape
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND

_MOST_TARGETS, _MOST_HOSTS = 100_000, 10_000
_HIGHEST_HZ = 1e7
_LATEST_NS = 4_102_444_800 * NS_PER_SECOND
Active: TypeAlias = tuple[tuple[int, Fault], ...]


class TrafficParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the stream is like; `SyntheticStream` describes each."""

    seed: int = 0
    targets: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    rate_hz: float = 10.0
    median_seconds: float = 0.05
    sigma: float = 0.35
    error_ratio: float = 0.002
    start_ns: int
    shape: Shape = Shape()
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ConfigError.at("seed", "a whole number >= 0", self.seed)
        for name in ("rate_hz", "median_seconds", "sigma"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise ConfigError.at(name, "a number > 0", value)
        if not isinstance(self.shape, Shape):
            raise ConfigError.at("shape", "a Shape", self.shape)
        if not isinstance(self.start_ns, int) or not 0 <= self.start_ns <= _LATEST_NS:
            raise ConfigError.at("start_ns", "whole nanoseconds since 1970, to 2100", self.start_ns)
        check_number("error_ratio", self.error_ratio, 0.0, 1.0)
        if not self.targets:
            raise ConfigError("targets: expected at least one, got none")
        check_number("rate_hz of all targets", self.rate_hz * len(self.targets), 0.0, _HIGHEST_HZ)
        _check_names((*self.targets, *self.hosts))
        check_faults(self.faults, self.targets, self.hosts)

    def active(self, first_second: int, seconds: int) -> Active:
        """The faults that may touch rows of so many seconds, each after its place in `faults`.

        Examples
        --------
        >>> gaps = [Fault(kind="gap", start_seconds=at, length_seconds=5) for at in (10, 20)]
        >>> [place for place, _ in TrafficParams(targets=("a",), start_ns=0, faults=tuple(gaps)).active(22, 60)]
        [1]
        """
        end = first_second + seconds  # samples are of the end of their second
        return tuple(
            (place, fault)
            for place, fault in enumerate(self.faults)
            if fault.start_seconds <= end and fault.start_seconds + fault.length_seconds >= first_second
        )

    @property
    def labels(self) -> list[FaultLabel]:
        """When and where each fault is, in the order of `faults`."""
        return [label_of(fault, self.start_ns, self.targets) for fault in self.faults]


def names_of(where: str, given: int | Sequence[str], stem: str) -> tuple[str, ...]:
    """So many names, or the given ones.

    Examples
    --------
    >>> names_of("targets", 2, "service"), names_of("targets", ["shop"], "service")
    (('service-0', 'service-1'), ('shop',))
    """
    most = _MOST_HOSTS if where == "hosts" else _MOST_TARGETS
    if isinstance(given, (bool, str)) or not isinstance(given, (int, Sequence)):
        raise ConfigError.at(where, "names, or how many", given)
    if not isinstance(given, int):
        return tuple(given)
    check_number(where, given, 0, most)
    return tuple(f"{stem}-{i}" for i in range(given))


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ConfigError.at("targets and hosts", "each name once", twice)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ConfigError.at("targets and hosts", "names", name)

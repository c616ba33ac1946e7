"""Targets that tell whether this host is connected at all."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.params import Seconds


class ConnectivityParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When all references fail, it is our own network: one alert, and none for each target.

    Attributes
    ----------
    targets
        Names of probed targets outside of what is watched, such as two well-known sites; none named: no check.
    for_rows
        Failures on end of every reference before it fires, fewer than a target's own alert needs (3).
    keep_firing_for_seconds
        How long one of them must have answered before it is resolved.
    """

    targets: tuple[str, ...] = ()
    for_rows: Annotated[int, Meta(ge=1)] = 2
    keep_firing_for_seconds: Seconds = 10.0

"""A job that must report from time to time, as data."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class HeartbeatJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job that must report at least once in each period.

    Attributes
    ----------
    name
        Its name in tables, in alerts and in the URL that it asks: letters, digits, `.`, `_` and `-`.
    period_seconds
        Longest expected time between two reports.
    grace_seconds
        How much later than that it may be.
    path
        A file whose modification time is the report; None: the job asks the URL.

    Raises
    ------
    ConfigError
        For a name that cannot be part of a URL.

    Examples
    --------
    >>> HeartbeatJob(name="backup", period_seconds=86_400).overdue_seconds(age_seconds=86_460)
    0.0
    >>> HeartbeatJob(name="backup", period_seconds=60, grace_seconds=10).overdue_seconds(age_seconds=75.0)
    5.0
    """

    name: str
    period_seconds: Annotated[float, Meta(gt=0)]
    grace_seconds: Annotated[float, Meta(ge=0)] = 60.0
    path: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError.at("name", "letters, digits, '.', '_' and '-' (at most 100)", self.name)

    def overdue_seconds(self, age_seconds: float) -> float:
        """How much too late the job is, if its last report is so old."""
        return max(0.0, age_seconds - self.period_seconds - self.grace_seconds)

"""What a dashboard needs from the thing it shows: a running monitor, or a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from aiops_nb.core.protocols import Sink
from aiops_nb.core.types import Step

if TYPE_CHECKING:
    import pandas as pd


class TargetShape(Protocol):
    """A target as it is probed now."""

    @property
    def name(self) -> str:
        """Its identity."""
        ...

    @property
    def url(self) -> str:
        """Without secrets."""
        ...

    @property
    def interval_seconds(self) -> float:
        """How often it is asked."""
        ...

    @property
    def state(self) -> str:
        """`active` or `paused`."""
        ...


class WatchedShape(Protocol):
    """What a page can change of a live monitor; `PageRequests` calls its methods."""

    @property
    def record(self) -> str | None:
        """Directory of the recording."""
        ...

    def targets(self) -> Sequence[TargetShape]:
        """All targets."""
        ...

    def sources(self) -> list[str]:
        """The names of all other sources."""
        ...


def watched_of(source: object) -> WatchedShape | None:
    """What can be changed of a source: nothing of a replay, a recording or a DataFrame."""
    watched: WatchedShape | None = getattr(source, "watched", None)
    return watched


class Source(Protocol):
    """A stream of steps that can be started and stopped."""

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        ...

    @property
    def replays(self) -> bool:
        """Whether its rows exist already: a recording or a DataFrame."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it has run and cannot run again, as a replay."""
        ...

    def start(self) -> None:
        """Start; returns at once. Does nothing while it runs."""
        ...

    def stop(self) -> None:
        """Stop, after everything that was queued has reached the sinks."""
        ...

    def add_sink(self, sink: Sink) -> None:
        """Deliver every further step to this sink too."""
        ...

    def remove_sink(self, sink: Sink) -> None:
        """Stop delivering to this sink; does not close it."""
        ...

    def command(self, command: dict[str, object], /) -> None:
        """Put a command into the stream."""
        ...

    def warnings(self) -> list[str]:
        """What a user should know: recording stopped, rows dropped or late, collectors that fail."""
        ...

    def rejected(self) -> pd.DataFrame:
        """The last lines that the collectors rejected: source, reason, detail, line."""
        ...

    def recent(self) -> Iterable[Step]:
        """Steps of the last minutes, oldest first: a dashboard made later is whole at once."""
        ...

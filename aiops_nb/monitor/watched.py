"""What a running monitor watches, as its owner may change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.monitor.run import Run

if TYPE_CHECKING:
    import pandas as pd

TargetState = Literal["active", "paused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTarget:
    """A target as it is probed now; `url` shows no secret."""

    name: str
    url: str
    interval_seconds: float
    state: TargetState


class Watched(Protocol):
    """The targets and sources of a live monitor; every change is a command in its stream.

    While the monitor is stopped a change holds from the next start on.
    """

    record: str | None
    """Directory of the recording, from the next start on."""

    def follow(self, run: Run) -> None:
        """A run has begun: what changes from here on, changes in it."""
        ...

    def targets(self) -> list[WatchedTarget]:
        """All targets, in the order in which they were added."""
        ...

    def add_target(self, target: str | ProbeTarget, interval_seconds: float | None) -> str:
        """Probe one more URL; returns its name."""
        ...

    def remove_target(self, name: str) -> None:
        """Probe it no more."""
        ...

    def pause_target(self, name: str) -> None:
        """Probe it no more until it is resumed."""
        ...

    def resume_target(self, name: str) -> None:
        """Probe it again."""
        ...

    def set_interval(self, name: str, interval_seconds: float) -> None:
        """Probe it at another interval."""
        ...

    def sources(self) -> list[str]:
        """The names of all other sources."""
        ...

    def add_source(self, params: Mapping[str, object]) -> str:
        """Collect from one more source, described as in a configuration; returns its name."""
        ...

    def remove_source(self, name: str) -> None:
        """Collect from it no more."""
        ...

    def config_yaml(self) -> str:
        """The configuration of what is watched now, without literal secrets."""
        ...


def targets_frame(targets: list[WatchedTarget]) -> pd.DataFrame:
    """A row for each target: name, url, interval_seconds, state."""
    import pandas as pd

    names = ("name", "url", "interval_seconds", "state")
    return pd.DataFrame([[getattr(one, name) for name in names] for one in targets], columns=list(names))

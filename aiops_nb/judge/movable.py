"""What rules on clients have in common: a threshold that is moved while they run."""

from __future__ import annotations

from typing import Generic

from aiops_nb.rules.thresholds import AnyClientRule, with_client_threshold


class Movable(Generic[AnyClientRule]):
    """A rule whose parameters hold its threshold."""

    def __init__(self, params: AnyClientRule) -> None:
        self.params = params

    def set_threshold(self, threshold: float) -> None:
        """Use another one from the next window on; ConfigError if it cannot be."""
        self.params = with_client_threshold(self.params, threshold)

"""A notifier made by the recipe of CONTRIBUTING: a line in a file for each message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aiops_nb.notify import ChannelParams, DeliveryError, Message, NotifierSpec


class NotesParams(ChannelParams, frozen=True, kw_only=True, tag="notes"):
    """Of `Notes`."""

    path: str
    name: str = "notes"


class Notes:
    """Appends a line for each message to a file.

    Parameters
    ----------
    params
        `path`: the file; its folder must exist.
    """

    max_single = 0
    max_batch = 1000
    min_interval_seconds = 0.0
    repeat_seconds: float | None = None

    def __init__(self, params: NotesParams) -> None:
        self.name = params.name
        self._path = Path(params.path)

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Write the lines; the key lets a reader drop a second copy."""
        lines = [f"{one.idempotency_key}\t{one.title!r}\t{one.summary!r}\n" for one in messages]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(lines)
        except OSError as problem:
            raise DeliveryError(f"{self.name}: {problem.strerror}") from None
        return {}

    def close(self) -> None:
        """Nothing is kept open."""


SPEC = NotifierSpec(params=NotesParams, factory=Notes, purpose="lines in a file")

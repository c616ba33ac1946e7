"""A DataFrame as a collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.frame.source import from_frame as from_frame

__all__ = ["from_frame"]
_HOMES = {
    "from_frame": "aiops_nb.collect.frame.source",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)

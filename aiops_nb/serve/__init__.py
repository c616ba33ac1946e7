"""The dashboard as a plain page, outside of Jupyter: one process, one engine, any number of viewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.serve.server import DashboardServer as DashboardServer

__all__ = ["DashboardServer"]
__getattr__, __dir__ = lazily(__name__, {"DashboardServer": "aiops_nb.serve.server"})

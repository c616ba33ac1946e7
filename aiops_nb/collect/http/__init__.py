"""HTTP probes: targets, assertions, transfers by pycurl or requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.http.probe import HttpProbe as HttpProbe
    from aiops_nb.collect.http.target import ProbeTarget as ProbeTarget

__all__ = ["HttpProbe", "ProbeTarget"]
__getattr__, __dir__ = lazily(
    __name__, {"HttpProbe": "aiops_nb.collect.http.probe", "ProbeTarget": "aiops_nb.collect.http.target"}
)

"""Adapters to scikit-learn, PyOD and river, and the isolation forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.detect.estimators.adapter import as_detector as as_detector

__all__ = ["as_detector"]
_HOMES = {
    "as_detector": "aiops_nb.detect.estimators.adapter",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)

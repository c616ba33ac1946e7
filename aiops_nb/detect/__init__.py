"""Detectors: one file per algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.detect.registry import build_detector as build_detector
    from aiops_nb.detect.registry import detectors as detectors
    from aiops_nb.detect.spec import DetectorSpec as DetectorSpec

__all__ = ["DetectorSpec", "build_detector", "detectors"]
__getattr__, __dir__ = lazily(
    __name__,
    {
        "DetectorSpec": "aiops_nb.detect.spec",
        "build_detector": "aiops_nb.detect.registry",
        "detectors": "aiops_nb.detect.registry",
    },
)

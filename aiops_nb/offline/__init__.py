"""The engine's detectors on data that is there already: series, frames, change points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.offline.preprocess import preprocess_frame as preprocess_frame
    from aiops_nb.offline.preprocess import preprocess_series as preprocess_series
    from aiops_nb.offline.score import score_frame as score_frame
    from aiops_nb.offline.score import score_series as score_series

__all__ = ["preprocess_frame", "preprocess_series", "score_frame", "score_series"]
__getattr__, __dir__ = lazily(
    __name__,
    {
        "preprocess_frame": "aiops_nb.offline.preprocess",
        "preprocess_series": "aiops_nb.offline.preprocess",
        "score_frame": "aiops_nb.offline.score",
        "score_series": "aiops_nb.offline.score",
    },
)

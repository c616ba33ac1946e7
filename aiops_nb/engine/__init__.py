"""The pipeline: from the ordered stream to features, scores and alerts; pure, without clock or thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.engine.params import PipelineParams as PipelineParams
    from aiops_nb.engine.pipeline import Pipeline as Pipeline

__all__ = ["Pipeline", "PipelineParams"]
__getattr__, __dir__ = lazily(
    __name__, {"Pipeline": "aiops_nb.engine.pipeline", "PipelineParams": "aiops_nb.engine.params"}
)

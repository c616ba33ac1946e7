"""The pipeline: from the ordered stream to features, scores and alerts; pure, without clock or thread."""

from __future__ import annotations

"""Tuning thresholds on what was recorded: what each would have found, missed, and cost in notifications."""

from __future__ import annotations

from aiops_nb.tune.choose import choose, save_config, threshold_of, with_threshold
from aiops_nb.tune.labels import read_labels, split_time
from aiops_nb.tune.match import Matches, match
from aiops_nb.tune.sweep import sweep

__all__ = [
    "Matches",
    "choose",
    "match",
    "read_labels",
    "save_config",
    "split_time",
    "sweep",
    "threshold_of",
    "with_threshold",
]

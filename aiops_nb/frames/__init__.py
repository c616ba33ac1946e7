"""DataFrames of rows, features, scores and alerts, and the ranges of time that they are cut to."""

from __future__ import annotations

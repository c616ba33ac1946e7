"""From the rows of one table to ticks and alert changes: a stage for each table of features."""

from __future__ import annotations

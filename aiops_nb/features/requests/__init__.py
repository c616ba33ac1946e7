"""Features of requests: rates, error ratios, latency quantiles and phases, objectives."""

from __future__ import annotations

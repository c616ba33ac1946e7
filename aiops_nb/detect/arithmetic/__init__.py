"""What the kernels are written in: baselines, quantiles, tail probabilities, phases of the day."""

from __future__ import annotations

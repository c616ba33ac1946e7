"""Adapters to scikit-learn, PyOD and river, and the isolation forest."""

from __future__ import annotations

"""The mathematics of the calibrated detectors: one file per algorithm, pure functions over one series."""

from __future__ import annotations

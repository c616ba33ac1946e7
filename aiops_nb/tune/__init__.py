"""Tuning thresholds on what was recorded."""

"""Detectors: one file per algorithm."""

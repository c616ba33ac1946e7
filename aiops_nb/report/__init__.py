"""Batch reports through papermill."""

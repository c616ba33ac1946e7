"""Collectors: one file per source."""

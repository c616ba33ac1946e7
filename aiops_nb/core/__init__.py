"""Data types, schemas and seams; imports no other room."""

from __future__ import annotations

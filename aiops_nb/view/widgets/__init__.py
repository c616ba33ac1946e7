"""The anywidgets of the dashboard and their JavaScript."""

from __future__ import annotations

"""The static picture of a dashboard, for a page without a kernel."""

from __future__ import annotations

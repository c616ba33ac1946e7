"""TCP and UDP collectors."""

from __future__ import annotations

"""The default rules, a file for each family, and those that are available but disabled."""

from __future__ import annotations

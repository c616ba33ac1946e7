"""Charts: which are shown, their figures and colours."""

from __future__ import annotations

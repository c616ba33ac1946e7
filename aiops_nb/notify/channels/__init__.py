"""One file a channel, and what they share: one POST, and what must not be shown."""

from __future__ import annotations

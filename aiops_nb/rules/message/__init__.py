"""Rules on messages of logs: new templates, texts, shares of errors."""

from __future__ import annotations

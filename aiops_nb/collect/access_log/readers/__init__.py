"""Lines of access logs to columns of text: by an expression, as JSON, by a W3C header, out of what carries them."""

from __future__ import annotations

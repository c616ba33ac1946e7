"""How one request is sent: by libcurl or by requests, and redirects the same for both."""

from __future__ import annotations

"""Features of the clients of traffic: who asks how often, compared with the past."""

from __future__ import annotations

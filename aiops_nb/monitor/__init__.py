"""What owns threads: the live run, the replay, the step store, self-observation."""

from __future__ import annotations

"""The public verbs: watch, replay, open a recording, read a frame, make synthetic traffic."""

from __future__ import annotations

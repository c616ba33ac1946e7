"""Alerts: rules and the state machine."""

from __future__ import annotations

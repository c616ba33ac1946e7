"""Alerts: rules and the state machine."""

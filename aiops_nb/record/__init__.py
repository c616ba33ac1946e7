"""Recordings: the tap, the format, recovery, replay."""

"""Answers to the alerts of a running monitor: from Python, over a Unix socket."""

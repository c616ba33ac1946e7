"""The command line: `aiops-nb lab | watch | check | replay | export | report | demo-service | completion`."""

from __future__ import annotations

from aiops_nb.cli.app import main

__all__ = ["main"]

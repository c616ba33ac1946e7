"""The command line: `aiops-nb lab | watch | replay | export | report | demo-service`."""

from __future__ import annotations

from aiops_nb.cli.app import main

__all__ = ["main"]

"""The command line: `aiops-nb lab | watch | replay | export | report | demo-service`."""

from aiops_nb.cli.app import main

__all__ = ["main"]

"""The commands of `aiops-nb`, a file each: SUMMARY, EXAMPLE, add_arguments and run."""

from __future__ import annotations

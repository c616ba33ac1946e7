"""Papermill reports whose every figure can be derived again, and tables for other tools."""

from __future__ import annotations

from aiops_nb.report.export import export_tables
from aiops_nb.report.run import ReportPaths, run_report

__all__ = ["ReportPaths", "export_tables", "run_report"]

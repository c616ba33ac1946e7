"""Papermill reports whose every figure can be derived again, and tables for other tools."""

from __future__ import annotations

from aiops_nb.report.batch.many import ReportOutcome, run_reports
from aiops_nb.report.batch.run import ReportPaths, run_report
from aiops_nb.report.export import export_tables
from aiops_nb.report.proof.later import verify_report

__all__ = ["ReportOutcome", "ReportPaths", "export_tables", "run_report", "run_reports", "verify_report"]

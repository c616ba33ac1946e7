"""A page of metrics that Prometheus can scrape: what the monitor sees, under the names of the blackbox exporter."""

from __future__ import annotations

from aiops_nb.monitor.exposition.page import MetricsPage

__all__ = ["MetricsPage"]

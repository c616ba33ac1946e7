"""Pages of metrics in the text format of Prometheus or in OpenMetrics."""

from __future__ import annotations

from aiops_nb.collect.prometheus.scraper import PrometheusScraper

__all__ = ["PrometheusScraper"]

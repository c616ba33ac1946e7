"""A page of metrics, scraped every so often, as samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.collect.prometheus.conversion import Conversion, Samples
from aiops_nb.collect.prometheus.exposition import PageValues
from aiops_nb.collect.prometheus.page import Page, PageFetcher, ScrapeError
from aiops_nb.collect.prometheus.selection import SeriesSelection
from aiops_nb.collect.rounds import Rounds
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.quantities import exact_duration
from aiops_nb.core.references import resolved_text
from aiops_nb.core.schemas import empty_batch, make_batch
from aiops_nb.core.urls import mask_url, parse_http_url

UP, DURATION, TIMEOUT_RATIO = "up", "scrape_duration_seconds", "scrape_timeout_ratio"
SCRAPED, SERIES = "scrape_samples", "scrape_series"
OVER_LIMIT, MALFORMED = "scrape_series_over_limit", "scrape_malformed_lines"
DEFAULT_DROP = ("go_*", "promhttp_*", "python_gc_*", "*_info")
LONGEST_DEFAULT_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scrape:
    """One scrape: how it went, and what it brought."""

    duration_seconds: float
    error: str = ""
    samples: Samples | None = None
    found: PageValues | None = None


class PrometheusScraper:
    """Scrapes one page in the text format of Prometheus or in OpenMetrics into `samples`.

    A sample's metric is the series as Prometheus writes it, such as `node_load1` or `disk_bytes{mount="/"}`. Counters
    become rates (`http_requests_total` is `http_requests_per_second`), histograms quantiles and a rate
    (`request_duration_seconds` is `request_duration_p95_seconds` and `request_duration_seconds_count_per_second`),
    summaries their quantiles, a mean and a rate. Both need two scrapes. Gauges stay as they are, exemplars are ignored.

    Every scrape also gives `up` (1 or 0), `scrape_duration_seconds`, `scrape_timeout_ratio` (the share of the timeout
    that it took), and of a page that came `scrape_samples` and `scrape_series` (what was on it, what was kept),
    `scrape_series_over_limit` and `scrape_malformed_lines`. The `extra` of an `up` of 0 says why.

    Parameters
    ----------
    url
        Of the page. A reference (`env:`, `file:`, `${NAME}`) is resolved here.
    interval_seconds
        From one scrape to the next.
    timeout_seconds
        Of a scrape, at most the interval; by default 90 % of the interval and at most 10 s.
    host_label
        The `target` of the rows; by default host and port of the URL.
    headers, token
        Sent with each request, `token` as `Authorization: Bearer`; references are read at each use.
    ca_file, verify_tls
        PEM bundle in place of the default authorities; whether the certificate is checked.
    keep, drop
        Patterns of series: a name with `*` and `?`, and matchers on labels, as in `node_cpu_*{mode!="idle"}`. A series
        is kept if one of `keep` matches it (or there is none) and none of `drop`. By default what exporters say of
        their own runtime, and constants (`*_info`), are dropped.
    quantiles
        Of histograms.
    series_limit
        Most samples a scrape; further series are counted.
    max_page_bytes
        Of the decompressed page.
    name
        The `source` of the rows.
    clock
        Time stamps and the schedule.

    Raises
    ------
    ConfigError
        Naming the parameter.

    Examples
    --------
    >>> scraper = PrometheusScraper("http://127.0.0.1:9100/metrics", host_label="web-1", keep=["node_load1"])
    >>> scraper
    PrometheusScraper('http://127.0.0.1:9100/metrics', host_label='web-1')
    >>> scraper.close()
    """

    def __init__(
        self,
        url: str,
        *,
        interval_seconds: float = 15.0,
        timeout_seconds: float | None = None,
        host_label: str | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        verify_tls: bool = True,
        keep: Sequence[str] = (),
        drop: Sequence[str] = DEFAULT_DROP,
        quantiles: Sequence[float] = (0.95,),
        series_limit: int = 2_000,
        max_page_bytes: int = 20_000_000,
        name: str = "prometheus",
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._clock = clock or SystemClock()
        self._timeout_seconds = _timeout(timeout_seconds, interval_seconds)
        plain_url = resolved_text(url, "url")
        parse_http_url(plain_url)
        self._shown_url = mask_url(plain_url)
        self._target = host_label or urlsplit(self._shown_url).netloc
        _check_numbers(quantiles, series_limit, max_page_bytes)
        self._conversion = Conversion(SeriesSelection(keep, drop), quantiles=quantiles, series_limit=series_limit)
        self._fetcher = PageFetcher(
            plain_url,
            headers=SecretHeaders(headers or {}),
            token=token,
            ca_file=ca_file,
            verify_tls=verify_tls,
            timeout_seconds=self._timeout_seconds,
            max_bytes=max_page_bytes,
        )
        self._totals = {"scrapes_total": 0.0, "failed_scrapes_total": 0.0}
        self._rounds = Rounds(f"scrape-{name}", interval_seconds, self._scrape, self._fetcher.abort, self._clock)

    def __repr__(self) -> str:
        return f"PrometheusScraper({self._shown_url!r}, host_label={self._target!r})"

    @property
    def counters(self) -> dict[str, float]:
        """Scrapes, those that failed, and the series over the limit and malformed lines of the last page."""
        return dict(self._totals)

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The samples of the next scrape; an empty batch if there is none in time; None after `close`."""
        scrape = self._rounds.take(timeout_seconds)
        if scrape is not None:
            return self._batch(scrape)
        return None if self._rounds.is_closed else empty_batch("samples")

    def close(self) -> None:
        """End a running scrape and a waiting `poll`."""
        self._rounds.close()
        self._fetcher.close()

    def _scrape(self) -> _Scrape:
        began = self._clock.monotonic_seconds()
        try:
            page = self._fetcher.fetch()
        except ScrapeError as problem:
            return _Scrape(duration_seconds=self._clock.monotonic_seconds() - began, error=str(problem))
        took_seconds = self._clock.monotonic_seconds() - began
        if error := _unusable(page):
            return _Scrape(duration_seconds=took_seconds, error=error)
        samples, found = self._conversion.convert(
            page.content, began + took_seconds, times_in_seconds=page.is_open_metrics
        )
        error = ""
        if page.content.strip() and not found.samples and found.malformed:
            error = f"no metrics on the page ({page.content_type[:50] or 'no content type'})"
        return _Scrape(duration_seconds=took_seconds, error=error, samples=samples, found=found)

    def _batch(self, scrape: _Scrape) -> pa.RecordBatch:
        self._totals["scrapes_total"] += 1
        self._totals["failed_scrapes_total"] += bool(scrape.error)
        metrics = [UP, DURATION, TIMEOUT_RATIO]
        values = [float(not scrape.error), scrape.duration_seconds, scrape.duration_seconds / self._timeout_seconds]
        samples, found = scrape.samples, scrape.found
        if samples is None or found is None or scrape.error:
            samples = Samples([], np.empty(0), {})
        else:
            counts = {SCRAPED: found.samples, SERIES: len(samples.metrics)}
            counts |= {OVER_LIMIT: found.over_limit, MALFORMED: found.malformed}
            self._totals |= {f"{name}_last": float(count) for name, count in counts.items()}
            metrics += counts
            values += [float(count) for count in counts.values()]
        rows = len(metrics) + len(samples.metrics)
        # Stamped here, not on the thread: a heartbeat that was polled meanwhile must not be later than its rows.
        now_ns = self._clock.now_ns()
        times = np.full(rows, now_ns)
        for row, time_ns in samples.times_ns.items():
            times[len(metrics) + row] = min(time_ns, now_ns)
        extra: list[str | None] = [None] * rows
        if scrape.error:
            extra[0] = msgspec.json.encode({"error": scrape.error}).decode()
        columns = {
            "time": times,
            "target": self._target,
            "metric": metrics + samples.metrics,
            "value": np.concatenate([values, samples.values]),
            "extra": extra,
        }
        return make_batch("samples", self.name, columns)


def _unusable(page: Page) -> str:
    """Why a page must not be read; empty if it may."""
    if page.is_open_metrics and not page.content.rstrip().endswith(b"# EOF"):
        return "the page is cut off: no # EOF at its end"
    return ""


def _timeout(timeout_seconds: float | None, interval_seconds: float) -> float:
    if not interval_seconds > 0:
        raise ConfigError.at("interval_seconds", "a number > 0", interval_seconds)
    if timeout_seconds is None:
        return min(0.9 * interval_seconds, LONGEST_DEFAULT_TIMEOUT_SECONDS)
    if not 0 < timeout_seconds <= interval_seconds:
        raise ConfigError.at(
            "timeout_seconds",
            f"a number > 0, at most the interval ({exact_duration(interval_seconds)})",
            timeout_seconds,
        )
    return timeout_seconds


def _check_numbers(quantiles: Sequence[float], series_limit: int, max_page_bytes: int) -> None:
    for index, quantile in enumerate(quantiles):
        if not 0 < quantile < 1:
            raise ConfigError.at(f"quantiles[{index}]", "a number between 0 and 1", quantile)
    if series_limit < 1:
        raise ConfigError.at("series_limit", "at least 1", series_limit)
    if max_page_bytes < 1:
        raise ConfigError.at("max_page_bytes", "at least 1", max_page_bytes)

"""The scraper beside a real HTTP server: what it asks, what it takes, and what it does when the page is bad."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
import trustme

from aiops_nb import watch
from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.collect.params import PrometheusParams
from aiops_nb.collect.prometheus import PrometheusScraper
from aiops_nb.collect.registry import check_collector, make_collector
from aiops_nb.config.load import parse_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.rules.defaults.metrics import SCRAPE_RULES
from aiops_nb.testing.collectors import CollectorContract

PAGE = b"# TYPE jobs_total counter\njobs_total 7\n# TYPE load gauge\n" + b"".join(
    b'load{core="%d"} 0.5\n' % core for core in range(30)
)


class Exporter:
    """A server whose next replies a test sets."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.page, self.status, self.headers = PAGE, 200, {"Content-Type": "text/plain; version=0.0.4"}
        self.asked: list[dict[str, str]] = []
        self.before: Callable[[], object] = lambda: None
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                exporter.asked.append(dict(self.headers))
                exporter.before()
                self.send_response(exporter.status)
                for name, value in exporter.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(exporter.page)))
                self.end_headers()
                self.wfile.write(exporter.page)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/metrics"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def exporter():
    made = Exporter()
    yield made
    made.close()


def scraped(scraper, count=1):
    """The rows of the next scrapes, as (metric, value) and extra."""
    try:
        batches = []
        deadline = time.monotonic() + 20
        while len(batches) < count:
            assert time.monotonic() < deadline
            batch = scraper.poll(1.0)
            if batch.num_rows:
                batches.append(batch)
        return batches
    finally:
        scraper.close()


def values(batch):
    return dict(zip(batch["metric"].to_pylist(), batch["value"].to_pylist(), strict=True))


def error_of(batch):
    found = values(batch)
    assert found["up"] == 0 and "load" not in found
    return json.loads(batch["extra"].to_pylist()[0])["error"]


def test_a_scrape(exporter):
    first, second = scraped(PrometheusScraper(exporter.url, interval_seconds=0.2, series_limit=20), 2)
    assert set(first["target"].to_pylist()) == {exporter.url.split("/")[2]}
    found = values(first)
    assert (found["up"], found["scrape_samples"], found["scrape_series"]) == (1, 31, 19)
    assert (found["scrape_series_over_limit"], found["scrape_malformed_lines"]) == (11, 0)
    assert found['load{core="3"}'] == 0.5
    assert "jobs_per_second" not in found and values(second)["jobs_per_second"] == 0.0
    assert len(set(first["time"].to_pylist())) == 1
    accepted = exporter.asked[0]["Accept"]
    assert "openmetrics-text" in accepted and "text/plain" in accepted and "protobuf" not in accepted
    assert "gzip" in exporter.asked[0]["Accept-Encoding"]


def test_gzip(exporter):
    exporter.page, exporter.headers = gzip.compress(PAGE), {"Content-Encoding": "gzip"}
    assert values(scraped(PrometheusScraper(exporter.url))[0])["scrape_samples"] == 31


def test_headers_and_token_are_read_at_each_scrape(exporter, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text("first-one\n")
    monkeypatch.setenv("SCRAPE_TEAM", "red")
    exporter.before = lambda: token.write_text("second-one\n")
    scraper = PrometheusScraper(
        exporter.url, interval_seconds=0.2, token=f"file:{token}", headers={"X-Team": "env:SCRAPE_TEAM"}
    )
    scraped(scraper, 2)
    assert [one["Authorization"] for one in exporter.asked[:2]] == ["Bearer first-one", "Bearer second-one"]
    assert exporter.asked[0]["X-Team"] == "red"


def set_page(page, **headers):
    def change(exporter):
        exporter.page, exporter.headers = page, headers

    return change


def hang(exporter):
    exporter.before = lambda: time.sleep(1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda exporter: setattr(exporter, "status", 503), "HTTP status 503"),
        (lambda exporter: setattr(exporter, "status", 302), "HTTP status 302"),
        (hang, "timed out"),
        (set_page(b"<html>\n<body>Sign in</body>", **{"Content-Type": "text/html"}), "no metrics on the page"),
        (set_page(b"load 1\n" * 100_000), "more than 100,000 bytes"),
        (set_page(gzip.compress(bytes(10_000_000)), **{"Content-Encoding": "gzip"}), "more than 100,000 bytes"),
        (set_page(b"not gzip", **{"Content-Encoding": "gzip"}), "rror"),
        (set_page(b"load 1\n", **{"Content-Type": "application/openmetrics-text"}), "cut off: no # EOF"),
    ],
)
def test_a_page_that_cannot_be_used_is_a_target_that_is_down(exporter, change, message):
    change(exporter)
    scraper = PrometheusScraper(exporter.url, interval_seconds=20, timeout_seconds=0.7, max_page_bytes=100_000)
    assert message in error_of(scraped(scraper)[0])
    assert scraper.counters["failed_scrapes_total"] == 1


def test_nobody_there_and_no_secret_is_shown():
    url = "http://joe:pass-word@127.0.0.1:1/metrics?key=que-ry"
    scraper = PrometheusScraper(url, token="tok-en")
    (batch,) = scraped(scraper)
    error = error_of(batch)
    assert "onnect" in error
    shown = repr(scraper) + error + str(batch.to_pydict())
    assert not any(secret in shown for secret in ("joe", "pass-word", "que-ry", "tok-en"))


def test_rates_are_the_mean_over_failed_scrapes(exporter):
    pages = iter([b"# TYPE n_total counter\nn_total 100\n", b"", b"# TYPE n_total counter\nn_total 200\n"])

    def change() -> None:
        exporter.page = next(pages, b"")
        exporter.status = 200 if exporter.page else 500

    exporter.before = change
    batches = scraped(PrometheusScraper(exporter.url, interval_seconds=0.3), 3)
    assert [values(batch)["up"] for batch in batches] == [1, 0, 1]
    assert values(batches[2])["n_per_second"] == pytest.approx(100 / 0.6, rel=0.3)


def test_tls_is_verified(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    exporter = Exporter(context)
    try:
        assert "certificate" in error_of(scraped(PrometheusScraper(exporter.url))[0]).lower()
        trusting = PrometheusScraper(exporter.url, ca_file=str(tmp_path / "ca.pem"))
        assert values(scraped(trusting)[0])["up"] == 1
        assert values(scraped(PrometheusScraper(exporter.url, verify_tls=False))[0])["up"] == 1
    finally:
        exporter.close()


def test_close_ends_a_scrape_that_hangs(exporter):
    exporter.before = lambda: time.sleep(3)
    scraper = PrometheusScraper(exporter.url, timeout_seconds=9.0)
    assert scraper.poll(0.2).num_rows == 0
    began = time.monotonic()
    scraper.close()
    assert time.monotonic() - began < 2.5
    assert scraper.poll(1.0) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"url": "ftp://h/"}, "url: expected http"),
        ({"timeout_seconds": 20.0}, "timeout_seconds: expected a number > 0, at most the interval"),
        ({"keep": ("a b",)}, r"keep\[0\]: expected a name"),
        ({"ca_file": "/no/such"}, "ca_file: expected a readable file"),
        ({"token": "env:NO_SUCH_TOKEN"}, "token: expected an environment variable"),
        ({"quantiles": (1.5,)}, r"quantiles\[0\]: expected a number between"),
    ],
)
def test_what_cannot_work_names_its_field(changed, message):
    params = PrometheusParams(**{"url": "http://127.0.0.1:9/metrics", **changed})
    with pytest.raises(ConfigError, match=rf"collectors\[0\]\.{message}"):
        check_collector(params, "collectors[0]")


def test_literal_secrets_in_a_configuration_are_refused():
    for extra in ("token: s3cret", "headers: {Authorization: Bearer s3cret}"):
        text = f"collectors:\n  - type: prometheus\n    url: http://h/metrics\n    {extra}\n"
        with pytest.raises(ConfigError, match="expected a reference") as caught:
            parse_config(text)
        assert "s3cret" not in str(caught.value)


def test_the_url_may_be_a_reference(exporter, monkeypatch):
    monkeypatch.setenv("PAGE_URL", exporter.url)
    assert values(scraped(make_collector(PrometheusParams(url="env:PAGE_URL"), "collectors[0]"))[0])["up"] == 1


class TestContract(CollectorContract):
    """What every collector promises."""

    @pytest.fixture
    def collector(self, exporter):
        made = PrometheusScraper(exporter.url, interval_seconds=0.2)
        yield made
        made.close()


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_target_that_goes_down_alerts_and_resolves(exporter):
    collector = {"type": "prometheus", "url": exporter.url, "host_label": "shop", "interval": "300ms", "keep": ["load"]}
    (down,) = (rule for rule in SCRAPE_RULES if rule.alertname == "target_down")
    quick = msgspec.structs.replace(down, hold=HoldParams(for_seconds=1.0, keep_firing_for_seconds=0.0))
    rules = {"feature_rules": [msgspec.to_builtins(quick)]}
    config = {"host_metrics": False, "self_observation": None, "collectors": [collector], "pipeline": rules}
    with watch(config=config) as monitor:
        until(lambda: len(monitor.samples()) > 40)
        exporter.status = 500
        until(monitor.firing)
        (alert,) = monitor.firing()
        assert (alert.labels["alertname"], alert.labels["target"]) == ("target_down", "shop")
        exporter.status = 200
        until(lambda: not monitor.firing())
    row = monitor.alerts().iloc[0]
    assert (row["state"], row["severity"]) == ("resolved", "error")
    samples = monitor.samples()
    assert samples["extra"].dropna().str.contains("HTTP status 500").all()
    assert "shop: down" in str(monitor.alerts().to_dict("records"))

"""The page as Prometheus reads it: by its own parser, by promtool, and for names that nobody chose for it."""

import math
import shutil
import subprocess
import threading
from dataclasses import replace

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

import aiops_nb
from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import AlertChange, Item, Step
from aiops_nb.demo import start_demo_service
from aiops_nb.monitor.exposition import MetricsPage
from aiops_nb.monitor.exposition import latest as room

SECOND = 1_000_000_000
HOSTILE = 'a"b\\c\nd{e="f"} <img onerror=x> \N{SNOWMAN}'
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def page():
    with_server = MetricsPage(port=0)
    yield with_server
    with_server.close()


def write(page, table, columns, changes=()):
    batch = make_batch(table, "test", columns)
    page.write(Step(Item(seq=0, source="test", table=table, batch=batch), changes=list(changes)))


def probes(page, *targets, second=1, **columns):
    rows = {"time": [second * SECOND] * len(targets), "origin": "probe", "target": list(targets)}
    write(page, "requests", rows | {name: [value] * len(targets) for name, value in columns.items()})


def scraped(page):
    families = parse(requests.get(page.url, timeout=5).text)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_the_latest_probe_of_a_target_under_the_blackbox_exporters_names(page):
    probes(page, "a", status_code=200, duration_seconds=0.5, wait_seconds=0.25, response_bytes=7)
    probes(page, "a", second=2, status_code=503, duration_seconds=0.75)
    found = scraped(page)
    assert found["probe_success", ("instance", "a")] == 0
    assert found["probe_duration_seconds", ("instance", "a")] == 0.75
    assert found["probe_http_status_code", ("instance", "a")] == 503
    assert not any(name == "probe_http_content_length" for name, *_ in found)


def test_a_probe_without_a_response_has_status_0_and_no_phases_that_are_not_known(page):
    probes(page, "a", error_type="connect", duration_seconds=0.01, resolve_seconds=0.001)
    found = scraped(page)
    assert found["probe_http_status_code", ("instance", "a")] == 0
    phases = [labels for name, *labels in found if name == "probe_http_duration_seconds"]
    assert phases == [[("instance", "a"), ("phase", "resolve")]]


def test_traffic_is_counted_with_a_histogram(page):
    columns = {"time": [SECOND] * 4, "origin": "traffic", "target": ["/x"] * 3 + ["/y"]}
    columns |= {"status_code": [200, 204, 500, None], "duration_seconds": [0.005, 0.3, 99.0, None]}
    for _ in range(2):
        write(page, "requests", columns)
    found = scraped(page)
    assert found["http_requests_total", ("code", "2xx"), ("instance", "/x")] == 4
    assert found["http_requests_total", ("code", "error"), ("instance", "/y")] == 2
    bucket = "http_request_duration_seconds_bucket"
    assert [found[bucket, ("instance", "/x"), ("le", bound)] for bound in ("0.005", "0.5", "10.0", "+Inf")] == [
        2,
        4,
        4,
        6,
    ]
    assert found["http_request_duration_seconds_count", ("instance", "/x")] == 6
    assert math.isclose(found["http_request_duration_seconds_sum", ("instance", "/x")], 2 * 99.305)


def test_samples_have_their_own_names_and_others_are_kept_apart(page):
    metrics = ["cpu_ratio", "redis ops/s", "probe_success", "ALERTS"]
    write(page, "samples", {"time": [SECOND] * 4, "target": ["h"] * 4, "metric": metrics, "value": [0.5, 1, 2, 3]})
    found = scraped(page)
    assert found["cpu_ratio", ("instance", "h")] == 0.5
    assert [found["aiops_nb_sample", ("instance", "h"), ("metric", name)] for name in metrics[1:]] == [1, 2, 3]


def test_open_alerts_are_there_until_they_are_resolved(page):
    labels = {"alertname": "http_5xx", "severity": "critical", "target": "a", "detector": "rule"}
    columns = {"time": [SECOND], "target": ["h"], "metric": ["m"], "value": [1.0]}
    key = ("ALERTS", ("alertname", "http_5xx"), ("alertstate", "firing"), ("instance", "a"), ("severity", "critical"))
    change = AlertChange(time_ns=1, state="firing", labels=labels, fingerprint="f", pending_at_ns=1, starts_at_ns=1)
    write(page, "samples", columns, [change])
    assert scraped(page)[key] == 1
    write(page, "samples", columns, [replace(change, state="resolved", ends_at_ns=2)])
    assert key not in scraped(page)


def test_what_is_no_longer_seen_is_left_out(page):
    probes(page, "gone", duration_seconds=0.1)
    probes(page, "there", second=301, duration_seconds=0.1)
    assert ("probe_duration_seconds", ("instance", "gone")) in scraped(page)
    probes(page, "there", second=302, duration_seconds=0.1)
    assert ("probe_duration_seconds", ("instance", "gone")) not in scraped(page)


def test_series_are_bounded_and_the_rest_is_counted(page, monkeypatch):
    monkeypatch.setattr(room, "MOST_SERIES", 3)
    probes(page, *(f"t{i}" for i in range(5)), duration_seconds=0.1)
    found = scraped(page)
    assert sum(name == "probe_duration_seconds" for name, *_ in found) == 3
    assert found["aiops_nb_metrics_page_series_dropped_total",] == 2


def test_any_name_is_read_back_as_it_was_in_both_formats(page):
    probes(page, HOSTILE, duration_seconds=0.1)
    write(page, "samples", {"time": [SECOND], "target": [HOSTILE], "metric": [HOSTILE], "value": [1.0]})
    assert scraped(page)["probe_duration_seconds", ("instance", HOSTILE)] == 0.1
    answer = requests.get(page.url, timeout=5, headers=OPENMETRICS)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    names = {sample.labels.get("instance") for family in parse_openmetrics(answer.text) for sample in family.samples}
    assert HOSTILE in names


class Seen:
    """A sink that says when enough probes have passed."""

    def __init__(self, wanted):
        self.missing, self.enough = wanted, threading.Event()

    def write(self, step):
        self.missing -= step.item.batch.num_rows if step.item.table == "requests" else 0
        if self.missing <= 0:
            self.enough.set()

    def close(self):
        pass


@pytest.mark.skipif(shutil.which("promtool") is None, reason="this machine has no promtool")
def test_promtool_and_a_scrape_of_a_live_monitor_agree():
    seen = Seen(4)
    with (
        MetricsPage(port=0) as page,
        start_demo_service(kinds=()) as service,
        aiops_nb.watch(service.urls[:2], interval_seconds=0.2, sinks=[page, seen]),
    ):
        assert seen.enough.wait(20)
        text = requests.get(page.url, timeout=5).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert 'probe_success{instance="' in text


def test_nothing_listens_after_the_close():
    page = MetricsPage(port=0)
    page.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(page.url, timeout=2)


def test_a_port_that_is_taken_is_one_clear_error(page):
    port = int(page.url.split(":")[2].split("/")[0])
    with pytest.raises(AiopsError, match=rf"metrics page: 127.0.0.1:{port}: Address already in use"):
        MetricsPage(port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ConfigError, match="port: expected a number from 0 to 65535"):
        MetricsPage(port=port)

"""Pages of real exporters, and a real Prometheus that scrapes the same page and computes the same rates."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aiops_nb.collect.prometheus import PrometheusScraper
from aiops_nb.collect.prometheus.conversion import Conversion
from aiops_nb.collect.prometheus.selection import SeriesSelection
from tests.ports import free_port
from tests.real_servers import mariadb, postgresql, program, redis, running, wait_for_page
from tests.unit.collect.prometheus.test_scraper import Exporter, scraped, values

# Of each exporter: gauges and rates that everybody knows, of a healthy server that was just started.
EXPECTED = {
    "node": ["node_load1", "node_memory_MemTotal_bytes", "node_cpu_seconds_per_second"],
    "redis": ["redis_up", "redis_connected_clients", "redis_commands_processed_per_second"],
    "postgres": ["pg_up", "pg_stat_database_xact_commit_per_second", "pg_settings_max_connections"],
    "mysqld": ["mysql_up", "mysql_global_status_threads_connected", "mysql_global_status_queries"],
    "blackbox": ["probe_success", "probe_duration_seconds", "probe_http_status_code"],
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A page that changes, scraped by Prometheus twice a second."""
    folder = tmp_path_factory.mktemp("prometheus")
    exporter, port = Exporter(), free_port()
    target = exporter.url.split("/")[2]
    job = {
        "job_name": "page",
        "scrape_interval": "500ms",
        "scrape_timeout": "500ms",
        "static_configs": [{"targets": [target]}],
    }
    (folder / "p.yml").write_text(json.dumps({"scrape_configs": [job]}))
    command = [program("prometheus"), f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with running(command, folder / "log", cwd=folder) as process:
        wait_for_page(f"http://127.0.0.1:{port}/-/ready", process, folder / "log")
        yield exporter, f"http://127.0.0.1:{port}"
    exporter.close()


@pytest.fixture(scope="module")
def pages(observed, tmp_path_factory):
    """The URL of each exporter's page."""
    folder = tmp_path_factory.mktemp("exporters")
    with ExitStack() as stack:

        def started(name, command, page="/metrics", **more):
            port, log = free_port(), folder / f"{name}.log"
            line = [program(command[0]), *command[1:], f"--web.listen-address=127.0.0.1:{port}"]
            process = stack.enter_context(running(line, log, cwd=folder, **more))
            url = f"http://127.0.0.1:{port}"
            wait_for_page(f"{url}/metrics", process, log)
            return f"{url}{page}"

        redis_port, postgres_port = stack.enter_context(redis()), stack.enter_context(postgresql())
        mariadb_port = stack.enter_context(mariadb())
        (folder / "my.cnf").write_text(
            f"[client]\nuser=root\npassword=root-word\nhost=127.0.0.1\nport={mariadb_port}\n"
        )
        postgres_dsn = f"postgresql://postgres@127.0.0.1:{postgres_port}/postgres?sslmode=disable"
        (folder / "blackbox.yml").write_text("modules: {http_2xx: {prober: http, timeout: 5s}}\n")
        node = started("node", ["prometheus-node-exporter"])
        asked = urllib.parse.urlencode({"module": "http_2xx", "target": node})
        yield {
            "node": node,
            "redis": started("redis", ["prometheus-redis-exporter", "-redis.addr", f"redis://127.0.0.1:{redis_port}"]),
            "postgres": started("postgres", ["prometheus-postgres-exporter"], env={"DATA_SOURCE_NAME": postgres_dsn}),
            "mysqld": started("mysqld", ["prometheus-mysqld-exporter", f"--config.my-cnf={folder}/my.cnf"]),
            "blackbox": started(
                "blackbox",
                ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml"],
                page=f"/probe?{asked}",
            ),
        }


@pytest.mark.parametrize("name", EXPECTED)
def test_every_exporter_is_read_whole(pages, name):
    _, second = scraped(PrometheusScraper(pages[name], interval_seconds=0.5, timeout_seconds=0.5), 2)
    found = values(second)
    assert found["up"] == 1 and found["scrape_malformed_lines"] == 0 and found["scrape_series_over_limit"] == 0
    names = {metric.partition("{")[0] for metric in found}
    assert not [metric for metric in EXPECTED[name] if metric not in names], sorted(names)
    assert not [metric for metric in found if metric.startswith(("go_", "promhttp_")) or "_info{" in metric]


@pytest.mark.parametrize("name", EXPECTED)
def test_values_are_those_of_the_parser_of_prometheus_client(pages, name):
    page = urllib.request.urlopen(pages[name]).read()
    conversion = Conversion(SeriesSelection((), ()), quantiles=(), series_limit=100_000)
    samples, found = conversion.convert(page, 0.0)
    ours = dict(zip(samples.metrics, samples.values.tolist(), strict=True))
    families = list(text_string_to_metric_families(page.decode()))
    assert found.samples == sum(len(family.samples) for family in families)
    gauges = [sample for family in families if family.type in ("gauge", "unknown") for sample in family.samples]
    plain = {sample.name: sample.value for sample in gauges if not sample.labels}
    assert len(plain) > 3
    assert {name: ours.get(name) for name in plain} == plain


def asked(url, query):
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}") as reply:
        found = json.load(reply)["data"]["result"]
    return [float(one["value"][1]) for one in found]


def test_rates_resets_and_quantiles_are_those_of_prometheus(observed):
    exporter, url = observed
    deadline = time.monotonic() + 20
    while not exporter.asked:  # Prometheus waits for 5 s before its first scrape
        assert time.monotonic() < deadline
        time.sleep(0.05)
    began = time.monotonic()
    bounds = (0.1, 0.5, 1.0, float("inf"))

    def page() -> None:
        """A counter of 50 a second that is reset every 2 s; a histogram whose quantiles stay the same."""
        age = time.monotonic() - began
        count = int(age * 200)
        shares = (0.2, 0.6, 0.9, 1.0)
        buckets = "".join(
            f'd_seconds_bucket{{le="{"+Inf" if b == float("inf") else b}"}} {count * share:.0f}\n'
            for b, share in zip(bounds, shares, strict=True)
        )
        exporter.page = (
            f"# TYPE n_total counter\nn_total {50 * (age % 2):.3f}\n# TYPE steady_total counter\n"
            f"steady_total {50 * age:.3f}\n# TYPE d_seconds histogram\n{buckets}"
            f"d_seconds_sum 1\nd_seconds_count {count}\n"
        ).encode()

    exporter.before = page
    batches = scraped(PrometheusScraper(exporter.url, interval_seconds=0.5), 13)
    ours = [values(batch) for batch in batches][1:]
    (steady,) = asked(url, "rate(steady_total[5s])")
    (p95,) = asked(url, "histogram_quantile(0.95, rate(d_seconds_bucket[5s]))")
    (reset,) = asked(url, "resets(n_total[5s])")
    (increase,) = asked(url, "rate(n_total[5s])")
    mean = sum(one["n_per_second"] for one in ours) / len(ours)
    assert reset >= 2 and all(one["n_per_second"] >= 0 for one in ours)
    assert sum(one["steady_per_second"] for one in ours) / len(ours) == pytest.approx(steady, rel=0.1)
    assert mean == pytest.approx(increase, rel=0.35)  # a reset between two scrapes hides what came before it
    assert [one["d_p95_seconds"] for one in ours] == pytest.approx([p95] * len(ours), rel=0.05)


def test_the_page_of_prometheus_itself(observed):
    _, url = observed
    found = values(scraped(PrometheusScraper(f"{url}/metrics", interval_seconds=0.4), 3)[-1])
    assert found["up"] == 1 and found["scrape_malformed_lines"] == 0
    assert 'prometheus_http_requests_per_second{code="200",handler="/metrics"}' in found
    assert 'prometheus_http_request_duration_p95_seconds{handler="/metrics"}' in found

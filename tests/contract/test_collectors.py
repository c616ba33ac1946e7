"""What every collector promises, whatever it collects."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.synthetic import KINDS, Fault, SyntheticStream
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import TABLES, table_of
from tests import collect_servers as servers

INTERVAL_SECONDS = 0.3
Make = Callable[[str], Collector]
FAULTS = [
    Fault(kind=kind, start_seconds=0.1, length_seconds=600) for kind in KINDS if kind not in ("gap", "clock_step")
]


def _probe(url: str, transfer: str) -> Collector:
    targets = [ProbeTarget(url=f"{url}/{i}", timeout_seconds=0.25) for i in range(5)]
    return HttpProbe(
        targets, interval_seconds=INTERVAL_SECONDS, transfer="requests" if transfer == "requests" else "curl"
    )


COLLECTORS: dict[str, Make] = {
    "probe": lambda url: _probe(url, "curl"),
    "probe by requests": lambda url: _probe(url, "requests"),
    "probe of nobody": lambda _: _probe("http://127.0.0.1:1", "curl"),
    "host": lambda _: HostMetrics(interval_seconds=INTERVAL_SECONDS),
    "synthetic": lambda _: SyntheticStream(rate_hz=50),
    "synthetic, paced": lambda _: SyntheticStream(rate_hz=50, clock=SystemClock()),
    "synthetic with hosts": lambda _: SyntheticStream(rate_hz=50, hosts=2, faults=FAULTS),
    "synthetic with hosts, paced": lambda _: SyntheticStream(rate_hz=50, hosts=2, faults=FAULTS, clock=SystemClock()),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with servers.raw_server(servers.reply_ok) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=COLLECTORS)
def collector(request: pytest.FixtureRequest, url: str) -> Iterator[Collector]:
    made = COLLECTORS[request.param](url)
    yield made
    made.close()


def rows_of(collector: Collector, count: int) -> list[pa.RecordBatch]:
    """Batches with at least `count` rows altogether."""
    batches: list[pa.RecordBatch] = []
    deadline = time.monotonic() + 20
    while sum(batch.num_rows for batch in batches) < count:
        assert time.monotonic() < deadline, "too few rows in 20 s"
        batch = collector.poll(1.0)
        assert batch is not None
        batches.append(batch)
    return batches


def test_it_is_a_collector(collector: Collector) -> None:
    assert isinstance(collector, Collector)
    assert collector.name


def test_batches_have_a_published_schema_and_pass_validation(collector: Collector) -> None:
    for batch in rows_of(collector, 20):
        assert batch.schema.equals(TABLES[table_of(batch)])
        batch.validate(full=True)
        assert batch["time"].null_count == 0 and batch["target"].null_count == 0


def test_rows_name_their_one_source_and_leave_seq_to_the_tap(collector: Collector) -> None:
    batches = rows_of(collector, 20)
    assert {source for batch in batches for source in batch["source"].to_pylist()} == {collector.name}
    assert {seq for batch in batches for seq in batch["seq"].to_pylist()} == {0}


def test_times_are_of_now_or_of_the_stream_and_never_ahead(collector: Collector) -> None:
    times = [time for batch in rows_of(collector, 20) for time in batch["time"].cast(pa.int64()).to_pylist()]
    assert all(one > 1_700_000_000_000_000_000 for one in times)
    if collector.name != "synthetic":
        assert max(times) <= time.time_ns()


def test_poll_returns_within_its_timeout(collector: Collector) -> None:
    for timeout_seconds in (0.0, 0.05):
        for _ in range(20):
            started = time.monotonic()
            batch = collector.poll(timeout_seconds)
            # What counts is that it does not wait for its own interval or longer; a busy machine may add to it.
            assert time.monotonic() - started < timeout_seconds + 2.0
            assert batch is not None
            assert batch.schema.equals(TABLES[table_of(batch)])


def test_close_twice_and_before_any_poll(collector: Collector) -> None:
    collector.close()
    collector.close()
    assert collector.poll(0.1) is None


def test_after_close_what_is_left_comes_and_then_none(collector: Collector) -> None:
    rows_of(collector, 1)
    collector.close()
    left = iter(lambda: collector.poll(0.1), None)
    assert sum(batch.num_rows for batch in left) <= 5_000


def test_close_ends_a_poll_that_waits(collector: Collector) -> None:
    rows_of(collector, 1)
    polled = threading.Event()

    def poll_until_the_end() -> None:
        while collector.poll(60.0) is not None:
            polled.set()

    polling = threading.Thread(target=poll_until_the_end, name="aiops-test-poll", daemon=True)
    polling.start()
    assert polled.wait(10)
    collector.close()
    polling.join(5)
    assert not polling.is_alive()


def test_no_thread_outlives_close(collector: Collector) -> None:
    before = set(threading.enumerate())
    rows_of(collector, 20)
    started = {thread for thread in threading.enumerate() if thread.name.startswith("aiops-")} - before
    collector.close()
    assert all(thread.daemon for thread in started)
    assert not [thread for thread in started if thread.is_alive()]

"""What every collector promises, as tests to inherit.

A test module of a plug-in needs two classes and their fixtures::

    class TestQueue(CollectorContract):
        @pytest.fixture
        def collector(self) -> Iterator[Collector]:
            collector = Queue(...)      # with something that feeds it at least 20 rows
            yield collector
            collector.close()


    class TestQueueSpec(CollectorSpecContract):
        @pytest.fixture
        def spec(self) -> CollectorSpec:
            return SPEC

        @pytest.fixture
        def params(self) -> QueueParams:
            return QueueParams(...)
"""

from __future__ import annotations

import inspect
import threading
import time

import msgspec
import pyarrow as pa

from aiops_nb.collect.params import CollectorParams
from aiops_nb.collect.registry import CollectorSpec
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import TABLES, table_of
from aiops_nb.testing.network import NetworkWatch

ROWS = 20
FIRST_REAL_NS = 1_700_000_000_000_000_000
FEED_SECONDS = 20.0
TOLERANCE_SECONDS = 2.0  # a busy machine may add to a timeout
MAX_ROWS_LEFT = 5_000
NOT_DATA = frozenset({"clock", "rng", "start_ns"})


def rows_of(collector: Collector, count: int) -> list[pa.RecordBatch]:
    """Batches with at least `count` rows in all; an assertion fails when too few came in 20 s."""
    batches: list[pa.RecordBatch] = []
    deadline = time.monotonic() + FEED_SECONDS
    while sum(batch.num_rows for batch in batches) < count:
        assert time.monotonic() < deadline, f"fewer than {count} rows in {FEED_SECONDS:g} s"
        batch = collector.poll(1.0)
        assert batch is not None, f"it ended before {count} rows came"
        batches.append(batch)
    return batches


class CollectorContract:
    """Tests of one collector that is fed while they run; a subclass has the fixture `collector`.

    Attributes
    ----------
    times_are_real
        Whether rows are of now or earlier. False for a collector of made-up times.

    Examples
    --------
    >>> class TestQueue(CollectorContract):
    ...     times_are_real = False
    """

    times_are_real = True

    def test_it_is_a_collector(self, collector: Collector) -> None:
        """It has a name, `poll` and `close`."""
        assert isinstance(collector, Collector), "expected the attributes name, poll and close"
        assert collector.name, "expected a name that is not empty"

    def test_batches_have_a_published_schema_and_pass_validation(self, collector: Collector) -> None:
        """Every batch is one of the published tables, with a time and a target in each row."""
        for batch in rows_of(collector, ROWS):
            assert batch.schema.equals(TABLES[table_of(batch)])
            batch.validate(full=True)
            assert batch["time"].null_count == 0, "a row has no time"
            assert batch["target"].null_count == 0, "a row has no target"

    def test_rows_name_their_one_source_and_leave_seq_to_the_tap(self, collector: Collector) -> None:
        """The `source` is the collector's name, `seq` is 0."""
        batches = rows_of(collector, ROWS)
        assert {source for batch in batches for source in batch["source"].to_pylist()} == {collector.name}
        assert {seq for batch in batches for seq in batch["seq"].to_pylist()} == {0}

    def test_times_are_of_now_or_of_the_stream_and_never_ahead(self, collector: Collector) -> None:
        """Times are in nanoseconds UTC, none in the future."""
        times = [moment for batch in rows_of(collector, ROWS) for moment in batch["time"].cast(pa.int64()).to_pylist()]
        assert min(times) > FIRST_REAL_NS, "a time before 2023: expected nanoseconds since 1970, UTC"
        if self.times_are_real:
            assert max(times) <= time.time_ns(), "a time in the future"

    def test_poll_returns_within_its_timeout(self, collector: Collector) -> None:
        """`poll` does not wait for its own interval or longer."""
        for timeout_seconds in (0.0, 0.05):
            for _ in range(20):
                started = time.monotonic()
                batch = collector.poll(timeout_seconds)
                assert time.monotonic() - started < timeout_seconds + TOLERANCE_SECONDS
                assert batch is not None, "None means that it has ended; expected an empty batch"
                assert batch.schema.equals(TABLES[table_of(batch)])

    def test_close_twice_and_before_any_poll(self, collector: Collector) -> None:
        """`close` may be called twice, and `poll` then returns None."""
        collector.close()
        collector.close()
        assert collector.poll(0.1) is None

    def test_after_close_what_is_left_comes_and_then_none(self, collector: Collector) -> None:
        """After `close` a bounded rest may come, then None."""
        rows_of(collector, 1)
        collector.close()
        left = iter(lambda: collector.poll(0.1), None)
        assert sum(batch.num_rows for batch in left) <= MAX_ROWS_LEFT

    def test_close_ends_a_poll_that_waits(self, collector: Collector) -> None:
        """`close` from another thread ends a waiting `poll`."""
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
        assert not polling.is_alive(), "poll still waits 5 s after close"

    def test_no_thread_outlives_close(self, collector: Collector) -> None:
        """Threads that it starts are named `aiops-...`, are daemons, and end with it."""
        before = set(threading.enumerate())
        rows_of(collector, ROWS)
        started = {thread for thread in threading.enumerate() if thread.name.startswith("aiops-")} - before
        collector.close()
        assert all(thread.daemon for thread in started)
        assert not [thread for thread in started if thread.is_alive()]


class CollectorSpecContract:
    """Tests of a spec; a subclass has the fixtures `spec` and `params`, an example of its parameters.

    Examples
    --------
    >>> class TestQueueSpec(CollectorSpecContract):
    ...     pass
    """

    def test_the_factory_has_the_parameters_and_defaults_of_the_struct(self, spec: CollectorSpec) -> None:
        """What a configuration can say is what the factory takes."""
        theirs = inspect.signature(spec.load()).parameters
        ours = {field.name: field for field in msgspec.structs.fields(spec.params)}
        assert set(theirs) - NOT_DATA == set(ours), "the factory and its params have different names"
        for name, field in ours.items():
            has_default = theirs[name].default not in (inspect.Parameter.empty, None)
            if has_default and name != "port":  # a free port is for tests: nobody could send to it
                assert field.default == theirs[name].default, f"{name} has another default in the params"

    def test_parameters_survive_a_configuration(self, spec: CollectorSpec, params: CollectorParams) -> None:
        """Written to a configuration and read again they are the same."""
        written = msgspec.to_builtins(params)
        assert written["type"] == spec.type
        assert msgspec.convert(written, spec.params) == params

    def test_its_rows_have_its_name(self, spec: CollectorSpec, params: CollectorParams) -> None:
        """The `name` of the parameters is the collector's."""
        if not spec.opens_on_creation:
            collector = spec.make(params, "collectors[0]")
            collector.close()
            assert collector.name == params.name

    def test_a_check_neither_binds_nor_connects(self, spec: CollectorSpec, params: CollectorParams) -> None:
        """`aiops-nb check` touches no network; a collector that does on creation says `opens_on_creation`."""
        with NetworkWatch() as events:
            spec.check(params, "collectors[0]")
        assert not events, f"a check caused {sorted(set(events))}"

    def test_a_listener_is_on_loopback_by_default(self, spec: CollectorSpec) -> None:
        """Only this machine can send to it, unless a configuration says otherwise."""
        parameters = inspect.signature(spec.load()).parameters
        if "listen_on" in parameters:
            assert parameters["listen_on"].default in ("127.0.0.1", "::1")

"""The schedule, and the pool with transfers that a test holds in its hand."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.collect.http.assertions import parse_assertions
from aiops_nb.collect.http.attempt import ProbedTarget
from aiops_nb.collect.http.pool import ProbePool
from aiops_nb.collect.http.result import Outcome, ProbeResult
from aiops_nb.collect.http.schedule import ProbeSchedule
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.schemas import ErrorType


@given(targets=st.integers(1, 50), interval_seconds=st.floats(0.01, 3600), rounds=st.integers(2, 4))
def test_every_target_is_due_once_an_interval_at_its_own_offset(
    targets: int, interval_seconds: float, rounds: int
) -> None:
    schedule = ProbeSchedule([interval_seconds] * targets, start_seconds=7.0)
    tickets = [schedule.take(7.0) for _ in range(targets * rounds)]
    assert [ticket.index for ticket in tickets] == list(range(targets)) * rounds
    for before, after in zip(tickets, tickets[targets:], strict=False):
        assert after.due_seconds - before.due_seconds == pytest.approx(interval_seconds)
    gaps = [b.due_seconds - a.due_seconds for a, b in itertools.pairwise(tickets)]
    assert gaps == pytest.approx([interval_seconds / targets] * len(gaps))


@given(targets=st.integers(1, 20), asleep_seconds=st.floats(2.0, 1e6))
def test_after_a_sleep_at_most_one_interval_is_caught_up(targets: int, asleep_seconds: float) -> None:
    schedule = ProbeSchedule([1.0] * targets, start_seconds=0.0)
    first = schedule.take(asleep_seconds)
    assert asleep_seconds - 1.0 - 1e-6 <= first.due_seconds <= asleep_seconds + 1.0
    assert schedule.missed_total > 0
    overdue = 1
    while schedule.take(asleep_seconds).due_seconds <= asleep_seconds:
        overdue += 1
    assert overdue <= targets + 1


@given(intervals=st.lists(st.floats(0.5, 60), min_size=1, max_size=10))
def test_targets_with_intervals_of_their_own_come_in_the_order_in_which_they_are_due(intervals: list[float]) -> None:
    schedule = ProbeSchedule(intervals, start_seconds=0.0)
    tickets = [schedule.take(0.0) for _ in range(200)]
    due = [ticket.due_seconds for ticket in tickets]
    assert due == sorted(due)
    for index, interval_seconds in enumerate(intervals):
        own = [ticket.due_seconds for ticket in tickets if ticket.index == index]
        offset = index / len(intervals) * interval_seconds
        assert own == pytest.approx([offset + place * interval_seconds for place in range(len(own))])
        assert offset + len(own) * interval_seconds >= due[-1] - 1e-6, "one that was due was passed over"


class HeldTransfer:
    """Runs until it is let go."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate
        self.begun = threading.Semaphore(0)
        self.runs = 0

    def make_handle(self) -> Handle:
        return Handle()

    def run(self, handle: Handle, *, may_abort: bool) -> Outcome:
        self.runs += 1
        self.begun.release()
        assert self.gate.wait(10)
        return Outcome(duration_seconds=0.01, status_code=200)

    def close(self) -> None:
        self.gate.set()


class Handle:
    """A handle with nothing to close."""

    def close(self) -> None:
        pass


class Pool:
    """A pool over held transfers, with its results."""

    def __init__(self, transfers: list[HeldTransfer], interval_seconds: float, max_threads: int = 64) -> None:
        self.results: list[ProbeResult] = []
        self.arrived = threading.Semaphore(0)
        self.closing = threading.Event()
        self.pool = ProbePool(
            [ProbedTarget(f"t{i}", "GET", transfer) for i, transfer in enumerate(transfers)],
            intervals_seconds=[interval_seconds] * len(transfers),
            clock=SystemClock(),
            emit=self._emit,
            closing=self.closing,
            max_threads=max_threads,
        )

    def _emit(self, result: ProbeResult) -> None:
        self.results.append(result)
        self.arrived.release()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()


def wait_for(condition: Callable[[], bool], results: threading.Semaphore) -> None:
    """Until something that comes with results is true."""
    for _ in range(1000):
        if condition():
            return
        assert results.acquire(timeout=10)
    raise AssertionError("did not come true within 1000 results")


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def test_a_target_that_still_runs_is_not_started_twice_and_holds_up_nobody() -> None:
    held, free = HeldTransfer(threading.Event()), HeldTransfer(opened())
    with Pool([held, free], interval_seconds=0.05) as running:
        assert held.begun.acquire(timeout=10)
        wait_for(lambda: free.runs >= 10, running.arrived)
        assert held.runs == 1
        assert running.pool.counters["skipped_total"] > 0
        held.gate.set()


def test_late_starts_grow_the_pool_up_to_its_bound() -> None:
    gate = threading.Event()
    transfers = [HeldTransfer(gate) for _ in range(40)]
    with Pool(transfers, interval_seconds=1.0, max_threads=16) as running:
        first_threads = running.pool.counters["threads"]
        for transfer in transfers[:16]:
            while not transfer.begun.acquire(timeout=0.02):
                running.pool.grow([])
        for _ in range(10):
            running.pool.grow([])
        assert first_threads < running.pool.counters["threads"] == 16
        gate.set()


def test_a_transfer_that_fails_to_run_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(HeldTransfer):
        def run(self, handle: Handle, *, may_abort: bool) -> Outcome:
            super().run(handle, may_abort=may_abort)
            raise ValueError("a fault of ours")

    broken, free = Broken(opened()), HeldTransfer(opened())
    with Pool([broken, free], interval_seconds=0.05) as running:
        wait_for(lambda: broken.runs >= 2 and free.runs >= 2, running.arrived)
        wait_for(lambda: running.pool.counters["failed_total"] >= 1, running.arrived)
    assert {result.target for result in running.results} == {"t1"}
    assert "probe of t0 failed to run" in caplog.text


def test_close_wakes_threads_that_wait_for_their_start() -> None:
    with Pool([HeldTransfer(opened()) for _ in range(5)], interval_seconds=3600) as running:
        assert running.arrived.acquire(timeout=10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("aiops-probe-")]


@pytest.mark.parametrize(
    ("assertions", "status_code", "error_type", "wants"),
    [
        ([], 200, None, False),
        ([], 404, None, False),
        ([], 503, None, True),
        ([], None, "timeout", True),
        (["duration < 1s"], 200, "assertion", True),
        (["duration < 1s"], 503, None, True),
        (["status == 503"], 503, None, False),
        (["status == 200"], 404, "assertion", True),
    ],
)
def test_what_is_confirmed(
    assertions: list[str], status_code: int | None, error_type: ErrorType | None, wants: bool
) -> None:
    outcome = Outcome(duration_seconds=0.1, status_code=status_code, error_type=error_type)
    asked = parse_assertions(assertions)
    assert (
        ProbedTarget("a", "GET", HeldTransfer(opened()), assertions=asked, confirms=True).wants_another(outcome)
        is wants
    )
    assert not ProbedTarget("a", "GET", HeldTransfer(opened()), assertions=asked).wants_another(outcome)


def test_a_dropped_target_is_not_due_until_it_is_restored() -> None:
    schedule = ProbeSchedule([1.0, 1.0], start_seconds=0.0)
    waiting = schedule.take(0.0)
    assert waiting is not None
    schedule.drop(0)
    assert not schedule.is_current(waiting)
    assert [schedule.take(0.0).index for _ in range(3)] == [1, 1, 1]
    schedule.restore(0, 7.0)
    again = schedule.take(7.0)
    assert (again.index, again.due_seconds) == (0, 2.5) or again.index == 1
    assert 0 in [schedule.take(7.0).index for _ in range(6)]

"""HTTP targets asked at a steady interval."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import pyarrow as pa

from aiops_nb.collect.http.assertions import parse_assertions
from aiops_nb.collect.http.attempt import ProbedTarget, Transfer
from aiops_nb.collect.http.pool import ProbePool
from aiops_nb.collect.http.result import ProbeResult, results_batch
from aiops_nb.collect.http.target import ProbeTarget, ready_targets
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.schemas import empty_batch

MAX_ROWS = 5_000
_GATHER_SECONDS = 0.1
_MAX_WAITING = 100_000
_MAX_THREADS = 512
_FILES_PER_THREAD = 4  # socket, wake-up pair, resolver

TransferKind = Literal["curl", "pycurl", "requests"]
_MakeTransfer: TypeAlias = Callable[[ProbeTarget, float, Callable[[], bool]], Transfer]


class HttpProbe:
    """Asks each target once in its interval and yields one `requests` row per probe, with origin `probe`.

    Targets are spread over their intervals; each is asked on a thread of a pool, in one blocking libcurl transfer whose
    times come from libcurl's own clock. The pool starts with the first `poll`. A target whose last probe still runs is
    not started twice. A row's `time` is the end of the transfer.

    Parameters
    ----------
    targets
        What to ask.
    interval_seconds
        The interval of each target that has none of its own.
    clock
        Time stamps and the schedule.
    name
        The `source` of the rows.
    transfer
        `curl`: libcurl called directly where that can be, else through pycurl; `pycurl`: through pycurl; `requests`:
        slower and without phases. By default `curl` where pycurl can be imported, else `requests`.

    Raises
    ------
    ConfigError
        For a target that cannot be asked, naming its field.

    Examples
    --------
    >>> probe = HttpProbe([ProbeTarget(url="http://127.0.0.1:9/health")], interval_seconds=1.0)
    >>> probe.poll(timeout_seconds=2.0)["error_type"].to_pylist()
    ['connect']
    >>> probe.close()
    """

    def __init__(
        self,
        targets: Sequence[ProbeTarget],
        *,
        interval_seconds: float,
        clock: Clock | None = None,
        name: str = "probe",
        transfer: TransferKind | None = None,
    ) -> None:
        self.name = name
        ready = ready_targets(targets, interval_seconds)
        self._interval_seconds = interval_seconds
        self._intervals_seconds = [target.interval_at(interval_seconds) for target in targets]
        self._clock = clock or SystemClock()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._results: queue.SimpleQueue[ProbeResult | None] = queue.SimpleQueue()
        self._dropped_total = 0
        self._pool: ProbePool | None = None
        self._make = _maker(transfer)
        self._targets = [self._probed(shown, target) for shown, target in ready.items()]
        self._place = {shown: place for place, shown in enumerate(ready)}
        self._paused: set[str] = set()

    def _probed(self, name: str, target: ProbeTarget) -> ProbedTarget:
        return ProbedTarget(
            name,
            target.method,
            self._make(target, target.timeout_for(self._interval_seconds), self._closing.is_set),
            assertions=parse_assertions(target.assertions),
            confirms=target.confirm,
        )

    @property
    def target_names(self) -> tuple[str, ...]:
        """The targets that are asked, and those that are paused."""
        return tuple(self._place)

    def add(self, name: str, target: ProbeTarget) -> None:
        """Ask one more target from now on; one of the same name is replaced. From any thread.

        Parameters
        ----------
        name
            Of the target.
        target
            What to ask.

        Raises
        ------
        ConfigError
            For a target that cannot be asked.
        """
        (ready,) = ready_targets([target], self._interval_seconds).values()
        probed, interval_seconds = self._probed(name, ready), ready.interval_at(self._interval_seconds)
        pool = self._begun()
        with self._lock:
            if name in self._place:
                pool.drop(self._place[name])
            self._paused.discard(name)
            self._place[name] = len(self._targets)
            pool.add(probed, interval_seconds)

    def remove(self, name: str) -> None:
        """Ask a target no more, from now on; unknown names are ignored.

        Parameters
        ----------
        name
            Of the target.
        """
        pool = self._begun()
        with self._lock:
            place = self._place.pop(name, None)
            if place is not None and name not in self._paused:
                pool.drop(place)
            self._paused.discard(name)

    def pause(self, name: str) -> None:
        """Ask a target no more until it is resumed; unknown names are ignored.

        Parameters
        ----------
        name
            Of the target.
        """
        pool = self._begun()
        with self._lock:
            if name in self._place and name not in self._paused:
                self._paused.add(name)
                pool.drop(self._place[name])

    def resume(self, name: str) -> None:
        """Ask a paused target again.

        Parameters
        ----------
        name
            Of the target.
        """
        pool = self._begun()
        with self._lock:
            if name in self._paused:
                self._paused.remove(name)
                pool.restore(self._place[name])

    @property
    def counters(self) -> Mapping[str, float]:
        """How the schedule is kept.

        `start_lag_seconds` is the largest of the targets' last starts. Totals: `skipped` because the target's last
        probe still ran, `missed` by a whole interval, `failed` by a fault of ours, `dropped` because nobody polled.
        """
        pool = self._pool
        return {**(pool.counters if pool else {}), "dropped_total": self._dropped_total}

    @property
    def last_failures(self) -> Mapping[str, tuple[str, ...]]:
        """By target: the assertions that its last probe broke, each with what came instead."""
        return {target.name: target.failures for target in self._targets if target.failures and target.is_asked}

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """Wait for the first result, gather what comes within 0.1 s of it (at most 5,000 rows).

        Empty when nothing came in time. After `close`, what is left, then None.
        """
        deadline = time.monotonic() + timeout_seconds
        self._start()
        first = self._next(timeout_seconds)
        if first is not None:
            self._closing.wait(max(0.0, min(_GATHER_SECONDS, deadline - time.monotonic())))
        results = [first, *self._waiting(MAX_ROWS - 1)] if first is not None else []
        if self._closing.is_set() and not results:
            return None
        self._grow(results)
        return results_batch(self.name, results) if results else empty_batch("requests")

    def close(self) -> None:
        """End all threads: those that wait at once, transfers when they end, can be aborted, or time out."""
        self._closing.set()
        self._results.put(None)
        with self._lock:
            pool = self._pool
        if pool is not None:
            pool.close()

    def _start(self) -> None:
        if not self._closing.is_set():
            self._begun()

    def _begun(self) -> ProbePool:
        with self._lock:
            if self._pool is None:
                self._pool = ProbePool(
                    self._targets,
                    intervals_seconds=self._intervals_seconds,
                    clock=self._clock,
                    emit=self._emit,
                    closing=self._closing,
                    max_threads=_max_threads(),
                )
            return self._pool

    def _grow(self, results: list[ProbeResult]) -> None:
        if self._pool is not None and not self._closing.is_set():
            self._pool.grow(results)

    def _emit(self, result: ProbeResult) -> None:
        if self._results.qsize() < _MAX_WAITING:
            self._results.put(result)
        else:
            self._dropped_total += 1

    def _next(self, timeout_seconds: float) -> ProbeResult | None:
        if self._closing.is_set():
            return next(iter(self._waiting(1)), None)
        try:
            return self._results.get(timeout=max(0.0, timeout_seconds))
        except queue.Empty:
            return None

    def _waiting(self, count: int) -> list[ProbeResult]:
        results: list[ProbeResult] = []
        while len(results) < count and not self._results.empty():
            try:
                result = self._results.get_nowait()
            except queue.Empty:
                break
            if result is not None:
                results.append(result)
        return results


def _maker(kind: TransferKind | None) -> _MakeTransfer:
    if kind != "requests":
        try:
            from aiops_nb.collect.http.transfers.curl_transfer import CurlTransfer, PycurlTransfer
        except ImportError:
            if kind is not None:
                raise
        else:
            return PycurlTransfer if kind == "pycurl" else CurlTransfer
    from aiops_nb.collect.http.transfers.requests_transfer import RequestsTransfer

    return RequestsTransfer


def _max_threads() -> int:
    """As many as the process may have files open for; macOS gives a notebook 256."""
    if sys.platform == "win32":
        return _MAX_THREADS
    import resource

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(8, min(_MAX_THREADS, (files - 128) // _FILES_PER_THREAD if files > 0 else _MAX_THREADS))

"""Reports of jobs as samples: how old the last one of each is, and by how much it is overdue."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from aiops_nb.collect.heartbeat.jobs import HeartbeatJob
from aiops_nb.collect.heartbeat.requests import ReportListener
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND

AGE, OVERDUE = "heartbeat_age_seconds", "heartbeat_overdue_seconds"
WAIT_SECONDS = 0.1


class Heartbeats:
    """Samples, for each job, how long ago it reported (`heartbeat_age_seconds`) and by how much it is overdue.

    A job reports with `POST` or `GET /heartbeat/NAME` and the header `Authorization: Bearer TOKEN`, with a JSON line
    `{"heartbeat": NAME, "token": TOKEN}` to the same port, or by writing its file. Until the first report its age
    is not known, and the time since the start of the monitor counts. Requests are answered one at a time; one that
    takes longer than 1 s is closed.

    Parameters
    ----------
    jobs
        At least one.
    port
        Of the listener; 0 takes a free one, see `address`. None: no job asks a URL.
    token
        What the requests must carry; needed with a port.
    listen_on
        An address of this machine.
    name
        The `source` of the rows.
    interval_seconds
        How often the samples are taken.
    clock
        Time stamps and ages.

    Raises
    ------
    ConfigError
        For jobs of one name, a job that could not report, or an address that is taken.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     beats = Heartbeats([HeartbeatJob(name="backup", period_seconds=60, path=file.name)])
    ...     batch = beats.poll(timeout_seconds=1)
    ...     beats.close()
    >>> batch["target"].to_pylist(), batch["metric"].to_pylist()
    (['backup', 'backup'], ['heartbeat_age_seconds', 'heartbeat_overdue_seconds'])
    """

    def __init__(
        self,
        jobs: Sequence[HeartbeatJob],
        *,
        port: int | None = None,
        token: str | None = None,
        listen_on: str = "127.0.0.1",
        name: str = "heartbeat",
        interval_seconds: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        _check(jobs, port, token, interval_seconds)
        self.name = name
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock or SystemClock()
        self._interval_seconds = interval_seconds
        self._began_ns = self._clock.now_ns()
        self._reported_ns: dict[str, int] = {}
        self._due_seconds = self._clock.monotonic_seconds()
        self._closing = threading.Event()
        self._polling = threading.Lock()
        self._totals = {"reports_total": 0, "refused_total": 0}
        self._listener = (
            None if port is None else ReportListener(listen_on, port, token or "", self._report, self._refuse)
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener; ("", 0) if there is none."""
        return ("", 0) if self._listener is None else self._listener.address

    @property
    def counters(self) -> dict[str, float]:
        """Reports that were taken, and requests that were refused."""
        return dict(self._totals)

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The samples of all jobs when they are due; an empty batch if they are not; None after `close`."""
        until = min(self._clock.monotonic_seconds() + timeout_seconds, self._due_seconds)
        with self._polling:
            while not self._closing.is_set() and (left := until - self._clock.monotonic_seconds()) > 0:
                self._serve(min(left, WAIT_SECONDS))
        if self._closing.is_set():
            return None
        if self._clock.monotonic_seconds() < self._due_seconds:
            return empty_batch("samples")
        passed = (self._clock.monotonic_seconds() - self._due_seconds) // self._interval_seconds
        self._due_seconds += (passed + 1) * self._interval_seconds
        return self._batch()

    def close(self) -> None:
        """Close the listener; ends a waiting `poll`."""
        self._closing.set()
        if self._listener is not None:
            with self._polling:
                self._listener.close()

    def _report(self, job: str) -> bool:
        if job not in self._jobs:
            return False
        self._reported_ns[job] = self._clock.now_ns()
        self._totals["reports_total"] += 1
        return True

    def _refuse(self) -> None:
        self._totals["refused_total"] += 1

    def _serve(self, seconds: float) -> None:
        if self._listener is None:
            self._closing.wait(seconds)
        else:
            self._listener.serve(seconds)

    def _batch(self) -> pa.RecordBatch:
        now_ns = self._clock.now_ns()
        rows: list[tuple[str, str, float]] = []
        for job in self._jobs.values():
            reported_ns = self._last_report(job)
            if reported_ns is not None:
                rows.append((job.name, AGE, max(0.0, (now_ns - reported_ns) / NS_PER_SECOND)))
            last_ns = self._began_ns if reported_ns is None else reported_ns
            rows.append((job.name, OVERDUE, job.overdue_seconds(now_ns, last_ns)))
        targets, metrics, values = (list(column) for column in zip(*rows, strict=True))
        columns = {"time": [now_ns] * len(rows), "target": targets, "metric": metrics, "value": values}
        return make_batch("samples", self.name, columns)

    def _last_report(self, job: HeartbeatJob) -> int | None:
        if job.path is None:
            return self._reported_ns.get(job.name)
        try:
            return Path(job.path).stat().st_mtime_ns
        except OSError:  # not written yet, or moved away: the time since the start counts
            return None


def _check(jobs: Sequence[HeartbeatJob], port: int | None, token: str | None, interval_seconds: float) -> None:
    if not jobs:
        raise ConfigError.at("jobs", "at least one job", "none")
    if not interval_seconds > 0:
        raise ConfigError.at("interval_seconds", "a number > 0", interval_seconds)
    if port is not None and not token:
        raise ConfigError.at("token", "what requests must carry (env:NAME or file:PATH)", token)
    names: dict[str, int] = {}
    for index, job in enumerate(jobs):
        if names.setdefault(job.name, index) != index:
            raise ConfigError.at(f"jobs[{index}].name", f"another than jobs[{names[job.name]}]", job.name)
        if job.path is None and port is None:
            raise ConfigError.at(f"jobs[{index}]", "a path, or a port for its requests", job.name)

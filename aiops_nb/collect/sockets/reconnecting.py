"""What every client of a server that sends rows shares: it connects again and again, later each time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import pyarrow as pa

from aiops_nb.collect.backoff import Backoff
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.core.schemas import empty_batch

Connection = TypeVar("Connection")


class ReconnectingClient(ABC, Generic[Connection]):
    """A connection or none, why there is none, and when to try again.

    Parameters
    ----------
    name
        The `source` of the rows.
    server
        How errors name it.
    inlet
        Takes what is read.
    backoff
        Says when to try again; the poller waits by it.
    """

    def __init__(self, name: str, server: str, inlet: JsonInlet, backoff: Backoff) -> None:
        self.name = name
        self.backoff = backoff
        self._server, self._inlet = server, inlet
        self._connection: Connection | None = None
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._problem = "not connected yet"
        self._totals = dict.fromkeys(("connections_total", "failures_total"), 0)

    @property
    def counters(self) -> Mapping[str, float]:
        """Connections, failures, rows, bytes, and rejected lines by reason."""
        return {"connections": int(self._connection is not None), **self._totals, **self._inlet.counters}

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return self._inlet.rejected

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """How often each field came that no column is for; at most 100 names, the rest as `__other__`."""
        return self._inlet.unknown_fields

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows; an empty batch if none came; None after `close`.

        Raises
        ------
        OSError
            While there is no connection. An attempt may take 5 s.
        """
        with self._lock:
            try:
                batch = None if self._closing.is_set() else self._next(timeout_seconds)
            except OSError:
                if not self._closing.is_set():
                    raise
            if self._closing.is_set():
                self._hang_up()
                return None
        return empty_batch("requests") if batch is None else batch

    def _next(self, timeout_seconds: float) -> pa.RecordBatch | None:
        if (batch := self._inlet.take()) is not None:
            return batch
        if self._connection is None:
            self._connect(timeout_seconds)
        self._gather(timeout_seconds)
        return self._inlet.take()

    def _connect(self, timeout_seconds: float) -> None:
        self._closing.wait(min(self.backoff.left_seconds, timeout_seconds))
        if self.backoff.left_seconds > 0:
            raise self._gap()
        try:
            self._connection = self._opened()
        except OSError as problem:
            self._failed(problem.strerror or str(problem))
            raise self._gap() from None
        self._totals["connections_total"] += 1

    def _gap(self) -> ConnectionError:
        return ConnectionError(f"{self._server}: {self._problem}")

    def _failed(self, problem: str) -> None:
        self._problem = problem
        self._totals["failures_total"] += 1
        self.backoff.failed()

    @abstractmethod
    def _opened(self) -> Connection:
        """A new connection; raises OSError."""

    @abstractmethod
    def _gather(self, timeout_seconds: float) -> None:
        """Put what comes into the inlet."""

    @abstractmethod
    def _hang_up(self) -> None:
        """Close the connection, if there is one."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; ends a waiting `poll`."""

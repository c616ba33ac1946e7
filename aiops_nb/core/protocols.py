"""The seams: what a collector, a detector and a sink must offer. Third parties implement these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import pyarrow as pa

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores, Step


@runtime_checkable
class Collector(Protocol):
    """A source of batches. Retries, queueing and the polling thread belong to the monitor, not to the collector.

    A collector may also have these members, which are read from other threads while it polls:

    - `counters`: numbers by name, such as `rows_total` and `rejected_<reason>_total`; recorded as samples;
    - `rejected`: the last lines that were not used, each with `reason`, `detail`, `line` and `suggestion`;
    - `problems`: what a user should know or change now, a sentence by subject; shown with the monitor's warnings;
    - `notices`: what was found or assumed and is no fault, a sentence by subject; `Monitor.notices` shows them.
    """

    name: str

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """Wait for rows.

        Parameters
        ----------
        timeout_seconds
            Wait at most so long.

        Returns
        -------
        pyarrow.RecordBatch or None
            Of one published schema; an empty batch (`empty_batch`) if nothing came and time moved on; None if the
            source has ended for good.

        Raises
        ------
        OSError
            For a fault that may pass: the monitor shows it, backs off and polls again.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice, and from another thread while `poll` waits, which then returns."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Scores all series of a feature table at once; no clock, no I/O, no unseeded randomness; picklable."""

    name: str
    features: tuple[str, ...]

    def score(self, table: FeatureTable) -> Scores:
        """Judge each of the n series; changes nothing. NaN in warm-up, for missing values and for new series."""
        ...

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Take in the values of the series where `rows` (n,) is true."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """What a detector offers besides if it can say what made a series anomalous."""

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> Mapping[str, FloatArray]:
        """Shares of the score by feature or part, (n,) each, that sum to 1; changes nothing.

        Only the series where `rows` (n,) is true are asked for, the others are NaN; None: all. Empty: there is but one
        reason.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """A consumer of steps; one that fails is counted and shown, and never stops the stream."""

    def write(self, step: Step) -> None:
        """Take one step; called from the engine thread, so it must be quick.

        Parameters
        ----------
        step
            An item of the stream, the windows that it closed, and the alerts that changed.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...

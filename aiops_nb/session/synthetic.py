"""A synthetic stream through the pipeline at full speed, by a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from aiops_nb.collect.synthetic import Fault, Shape, SyntheticStream
from aiops_nb.config import ConfigSource
from aiops_nb.config.load import checked_config
from aiops_nb.config.recorded import recording_yaml
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import write_label_lines
from aiops_nb.core.protocols import Collector, Sink
from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch
from aiops_nb.core.types import Item
from aiops_nb.engine.commands import Command, Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.recording_tap import RecordingTap, delivering
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.record.format import LABELS
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import NullTap, Tap


def from_synthetic(
    seconds: float,
    *,
    seed: int = 0,
    targets: int | Sequence[str] = 3,
    rate_hz: float = 10.0,
    median_seconds: float = 0.05,
    sigma: float = 0.35,
    error_ratio: float = 0.002,
    hosts: int | Sequence[str] = 0,
    shape: Shape = Shape(),  # noqa: B008 - frozen
    faults: Sequence[Fault] = (),
    start_ns: int | None = None,
    name: str = "synthetic",
    record: str | Path | None = None,
    config: ConfigSource = None,
    sinks: Sequence[Sink] = (),
) -> Monitor:
    """Put a synthetic stream through the pipeline as if it were live, but without waiting; returns when done.

    Everything is as a live run would have been: rows come second by second, gaps are seen, a stepped clock is met by
    one that goes on. The same arguments give the same recording.

    Parameters
    ----------
    seconds
        How long the stream is, > 0.
    seed, targets, rate_hz, median_seconds, sigma, error_ratio, hosts, shape, faults, start_ns, name
        As for `aiops_nb.collect.synthetic.SyntheticStream`.
    record
        Directory of the recording; the labels of the faults are added to its `labels.jsonl`. None records nothing.
    config, sinks
        As for `watch`.

    Returns
    -------
    Monitor
        Ended, with all its DataFrames and its dashboard.

    Raises
    ------
    ConfigError
        Naming the option, what was expected and what came.
    RecordingError
        If `record` cannot be written or has another writer.

    Examples
    --------
    >>> from aiops_nb.collect.synthetic import Fault
    >>> outage = Fault(kind="outage", start_seconds=20, length_seconds=5)
    >>> monitor = from_synthetic(30, seed=7, targets=1, faults=[outage])
    >>> monitor.alerts()["alertname"].unique().tolist()
    ['request_failed']
    """
    if seconds is None:
        raise ConfigError.at("seconds", "a number > 0: from_synthetic returns when the stream is over", seconds)
    loaded = checked_config(config)
    clock = ManualClock() if start_ns is None else ManualClock(start_ns=start_ns)
    stream = SyntheticStream(
        seed=seed,
        targets=targets,
        rate_hz=rate_hz,
        median_seconds=median_seconds,
        sigma=sigma,
        error_ratio=error_ratio,
        hosts=hosts,
        shape=shape,
        duration_seconds=seconds,
        faults=faults,
        start_ns=start_ns,
        clock=clock,
        name=name,
    )
    tap: Tap = NullTap()
    if record is not None:
        tap = RecordingTap(Recorder(record, config_yaml=recording_yaml(loaded)), derives=loaded.derived_tables)
    items = partial(as_if_live, stream, clock, tap, loaded.pipeline)
    monitor = Monitor(lambda deliver: ReplayRun(items, None, delivering(tap, deliver)), once=True, mode="synthetic")
    for sink in sinks:
        monitor.add_sink(sink)
    try:
        monitor.start()
        monitor.stop()
    finally:
        tap.close()
    if record is not None:
        write_label_lines(Path(record) / LABELS, (label.line() for label in stream.begun_labels), append=True)
    return monitor


def as_if_live(stream: Collector, clock: ManualClock, tap: Tap, params: PipelineParams) -> Iterator[Item]:
    """The items of a run, heartbeats included; the clock that paces the stream is moved as they are taken."""
    for batch in _batches(stream, clock, params):
        item = tap.write(batch)
        tap.seal_pending()
        yield item


def _batches(stream: Collector, clock: ManualClock, params: PipelineParams) -> Iterator[pa.RecordBatch]:
    yield _command(clock, Start(pipeline=params, sources=(stream.name,)))
    batch: pa.RecordBatch | None = None
    ended = False
    while not ended:
        clock.advance(1.0)
        yield control_batch(CLOCK_SOURCE, "heartbeat", clock.now_ns())
        while (batch := stream.poll(0)) is not None and batch.num_rows:
            yield batch
        yield control_batch(stream.name, "heartbeat", clock.now_ns())
        ended = batch is None
    yield _command(clock, Stop())


def _command(clock: ManualClock, command: Command) -> pa.RecordBatch:
    return control_batch("monitor", "command", clock.now_ns(), encode_command(command))

"""A second view of a recording that another process writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aiops_nb.core.protocols import Sink
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.monitor.run import Deliver
from aiops_nb.record.reader import RecordingReader
from aiops_nb.session.follow_run import FollowRun
from aiops_nb.session.recording import Recording
from aiops_nb.view.notebook_cell import note_begun, running_cell, running_request, stop_earlier


def follow(recording: Recording | str | Path, *, trust: bool = False, sinks: Sequence[Sink] = ()) -> Monitor:
    """Follow a recording that another process writes: the same rows, alerts and dashboard, and nothing is probed.

    What is recorded already is read first, through the same pipeline; then each item soon after it was written. The
    alerts are those of the monitor that records, to the byte. If that monitor ends or stops responding, `warnings()`
    and the dashboard report it within five seconds; if it records again, following goes on.

    Acknowledgements, comments, silences and thresholds are sent to the monitor that records, over its control socket:
    it must run as the same user, with `aiops-nb watch` or after `monitor.listen()`.

    Parameters
    ----------
    recording
        The directory, or an opened recording.
    trust
        As for `open_recording`; that of an opened recording is kept.
    sinks
        Consumers that are to see the stream from its first item.

    Returns
    -------
    Monitor
        Started; `.dashboard()` shows it, `.stop()` ends it, and the other monitor goes on. `writer` is `writing`,
        `silent` or `gone`.

    Raises
    ------
    RecordingError
        If it is not a recording.

    Examples
    --------
    >>> follow("/nowhere")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.RecordingError: /nowhere: no such directory
    """
    here = running_cell(running_request())
    if isinstance(recording, Recording):
        path, trust = recording.path, recording.reader.trusted
    else:
        path = Path(recording)
    reader = RecordingReader(path, trust=trust)

    def make_run(deliver: Deliver) -> FollowRun:
        return FollowRun(reader, deliver)

    stop_earlier(here)
    monitor = Monitor(make_run, once=True, mode="follow", title=path.resolve().name, replayed=path)
    for sink in sinks:
        monitor.add_sink(sink)
    monitor.start()
    note_begun(here, monitor)
    return monitor

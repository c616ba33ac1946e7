"""Labels: intervals of which somebody knows that something was wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.labels import LabelLine
from aiops_nb.session.recording import Recording, open_recording

COLUMNS = ("kind", "target", "start", "end")


def read_labels(source: Recording | str | Path) -> pd.DataFrame:
    """Labels of a recording, or of a file of JSON lines `{"kind", "target", "start", "end"}`.

    Parameters
    ----------
    source
        A recording, its folder, or a file. Times are RFC 3339.

    Returns
    -------
    pandas.DataFrame
        `kind`, `target` (empty: anything), `start`, `end` (UTC, half-open), in order of start.

    Raises
    ------
    RecordingError
        If there are no labels to read.
    ConfigError
        If a line is not a label; the message names it.
    """
    if isinstance(source, Recording):
        return _in_order(source.labels())
    path = Path(source)
    if path.is_dir():
        return read_labels(open_recording(path))
    if not path.is_file():
        raise RecordingError(f"{path}: expected a recording or a file of labels, found nothing there")
    return _in_order(_from_lines(path))


def _from_lines(path: Path) -> pd.DataFrame:
    rows: list[tuple[str, str, pd.Timestamp, pd.Timestamp]] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            rows.append(_row(line, f"{path}:{number}"))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(text: bytes, where: str) -> tuple[str, str, pd.Timestamp, pd.Timestamp]:
    try:
        line = msgspec.json.decode(text, type=LabelLine)
        start, end = (pd.to_datetime(time, utc=True) for time in (line.start, line.end))
    except (msgspec.DecodeError, ValueError) as problem:
        raise ConfigError(f"{where}: expected a label with kind, start and end, got {problem}") from None
    if end < start:
        raise ConfigError.at(f"{where}: end", f"a time after {line.start}", line.end)
    return line.kind, line.target, start, end


def _in_order(labels: pd.DataFrame) -> pd.DataFrame:
    labels = labels.assign(target=labels["target"].fillna(""))
    for name in ("start", "end"):
        labels[name] = pd.to_datetime(labels[name], utc=True).astype("datetime64[ns, UTC]")
    return labels.sort_values("start", kind="stable").reset_index(drop=True)


def split_time(recording: Recording, labels: pd.DataFrame, share: float = 0.5) -> pd.Timestamp:
    """Return a moment to cut a recording in two: after `share` of it, in the middle of the nearest healthy stretch.

    Parameters
    ----------
    recording
        What is to be cut.
    labels
        Its faults; none of them is cut.
    share
        Of the recorded time, 0 to 1.

    Returns
    -------
    pandas.Timestamp
        The moment, UTC.

    Raises
    ------
    RecordingError
        If the recording is empty.
    """
    bounds = recording.time_range
    if bounds is None:
        raise RecordingError(f"{recording.path}: expected rows, found none")
    first, last = bounds
    wanted = first + (last - first) * share
    ends = [first, *labels["end"].cummax()]
    starts = [*labels["start"], last]
    healthy = [(max(a, first), min(b, last)) for a, b in zip(ends, starts, strict=True) if max(a, first) < min(b, last)]
    middles: list[pd.Timestamp] = [a + (b - a) / 2 for a, b in healthy] or [wanted]
    nearest: pd.Timestamp = min(middles, key=lambda middle: abs(middle - wanted))
    return nearest.floor("s")

"""Labels: intervals of which somebody knows that something was wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.moments import moment_ns
from aiops_nb.session.labels import NOISE, Labels
from aiops_nb.session.recording import Recording, open_recording

COLUMNS = ("kind", "target", "start", "end", "targets")


def read_labels(source: Recording | str | Path) -> pd.DataFrame:
    """Faults that are labelled in a recording, or in a file of JSON lines `{"kind", "target", "start", "end"}`.

    What somebody called noise is no fault, and is left out.

    Parameters
    ----------
    source
        A recording, its folder, or a file. Times are RFC 3339.

    Returns
    -------
    pandas.DataFrame
        `kind`, `target` (empty: anything), `start`, `end` (UTC, half-open) and `targets`, in order of start.

    Raises
    ------
    RecordingError
        If there are no labels to read.
    ConfigError
        If a line is not a label; the message names it.
    """
    if isinstance(source, Recording):
        return _in_order(source.labels.to_frame())
    path = Path(source)
    if path.is_dir():
        return read_labels(open_recording(path))
    if not path.is_file():
        raise RecordingError(f"{path}: expected a recording or a file of labels, found nothing there")
    return _in_order(Labels(path, lambda: NO_LABELS).to_frame())


def _in_order(labels: pd.DataFrame) -> pd.DataFrame:
    labels = labels.assign(target=labels["target"].fillna(""))
    labels = labels[labels["kind"] != NOISE]
    if "targets" not in labels:
        labels = labels.assign(targets=_alone(labels["target"]))
    for name in ("start", "end"):
        labels[name] = pd.to_datetime(labels[name], utc=True).astype("datetime64[ns, UTC]")
    return labels[list(COLUMNS)].sort_values("start", kind="stable").reset_index(drop=True)


NO_LABELS = pd.DataFrame({"kind": [], "target": [], "start": [], "end": [], "targets": []}).astype(
    {"kind": str, "target": str, "start": "datetime64[ns, UTC]", "end": "datetime64[ns, UTC]", "targets": object}
)
LABELS_EXPECTED = "a DataFrame with start and end, labels as read_labels gives them, a recording or a path"


def checked_labels(labels: pd.DataFrame | Recording | str | Path, where: str = "labels") -> pd.DataFrame:
    """Labels as a user has them, in the form of `read_labels`: the one reader of labels.

    Parameters
    ----------
    labels
        A frame with `start` and `end` (times, or text such as RFC 3339; UTC without a zone); `kind` and `target` are
        optional: without a kind it is `fault`, without a target the fault concerns everything. Or what `read_labels`
        takes.
    where
        The argument, for messages.

    Raises
    ------
    ConfigError
        Naming the row and column that cannot be read.

    Examples
    --------
    >>> checked_labels(pd.DataFrame({"start": ["2026-05-01 12:00"], "end": ["2026-05-01 12:05"]})).iloc[0].to_dict()
    {'kind': 'fault', 'target': '', 'start': Timestamp('2026-05-01 12:00:00+0000', tz='UTC'), 'end': ..., 'targets': ()}
    """
    if isinstance(labels, (Recording, str, Path)):
        return read_labels(labels)
    if not isinstance(labels, pd.DataFrame):
        raise ConfigError.at(where, LABELS_EXPECTED, type(labels).__name__)
    for name in ("start", "end"):
        if name not in labels:
            raise ConfigError.at(where, LABELS_EXPECTED, f"columns {', '.join(map(str, labels.columns)) or 'none'}")
    columns = {name: _moments(labels[name], f"{where}.{name}") for name in ("start", "end")}
    for name, default in (("kind", "fault"), ("target", "")):
        given = labels[name] if name in labels else pd.Series([None] * len(labels), dtype=object)
        columns[name] = given.astype(object).where(given.notna(), default).astype(str).reset_index(drop=True)
    columns["targets"] = _alone(columns["target"])
    if "targets" in labels:
        several = [isinstance(many, (tuple, list)) and len(many) > 0 for many in labels["targets"]]
        given = labels["targets"].reset_index(drop=True)
        columns["targets"] = given.where(pd.Series(several, dtype=bool), columns["targets"]).map(tuple)
    checked = pd.DataFrame(columns, columns=list(COLUMNS))
    backwards = checked.index[checked["end"] < checked["start"]]
    if len(backwards):
        row = checked.loc[backwards[0]]
        raise ConfigError.at(f"{where}.end[{backwards[0]}]", f"a time after {row['start']}", str(row["end"]))
    return _in_order(checked)


def _alone(targets: pd.Series) -> pd.Series:
    """Of each name the tuple of it alone; empty for everything."""
    several: list[tuple[str, ...]] = [(str(target),) if target else () for target in targets]
    return pd.Series(several, index=targets.index, dtype=object)


def _moments(times: pd.Series, where: str) -> pd.Series:
    moments = [moment_ns(None if pd.isna(value) else value, f"{where}[{row}]") for row, value in enumerate(times)]
    if None in moments:
        raise ConfigError.at(f"{where}[{moments.index(None)}]", "a time", "none")
    return pd.Series(np.array(moments, "datetime64[ns]")).dt.tz_localize("UTC")


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

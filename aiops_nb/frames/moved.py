"""What else moved: series of a stream ranked by how far they left their baseline, as a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from aiops_nb.core.labels import PlacedMark
from aiops_nb.core.types import NS_PER_SECOND, FeatureTableName, FloatArray, IntArray
from aiops_nb.frames.build import KEYS
from aiops_nb.moved.ranking import Shifts, rank_moved

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.frames.moved_frame import MovedFrame

BEFORE_SECONDS = 1_800.0
LEAD_NS, LONGEST_NS = 300 * NS_PER_SECOND, 900 * NS_PER_SECOND
MOST_WINDOWS = 1_800  # of more, neighbours are averaged
# per table its features, and the change of each that nobody would call one: in its unit, and as a share of its baseline
Floor: TypeAlias = tuple[float, float]
FEATURES: Mapping[FeatureTableName, Mapping[str, Floor]] = {
    "requests": {"duration_p95_seconds": (0.001, 0.05), "error_ratio": (0.01, 0.0), "rate_hz": (0.1, 0.05)},
    "samples": {"value": (0.0, 0.02)},
}
WORDS = {1: "up", -1: "down", 2: "new", -2: "gone", 0: ""}
COLUMNS = ("table", "target", "metric", "change", "before", "during", "distance", "onset", "calm_until", "is_clear")
NOT_CLEAR = "not clear: nothing moved further from its baseline than series of this data do by chance"
NO_BASELINE = "not clear: no baseline, too few windows before the range"
Read: TypeAlias = "Callable[[FeatureTableName], pd.DataFrame]"


def moved_frame(
    read: Read, start_ns: int, end_ns: int, first_ns: int, *, marks: Sequence[PlacedMark] = ()
) -> MovedFrame:
    """All series, ranked; see `FrameAccess.what_moved`.

    Parameters
    ----------
    read
        Gives the features of a table, the time before the range included.
    start_ns, end_ns
        The range, UTC ns.
    first_ns
        Where the time before it begins.
    marks
        What was done then: it comes first.
    """
    import pandas as pd

    from aiops_nb.frames.moved_frame import MovedFrame

    bounds = first_ns, start_ns, end_ns
    parts = [_part(read(table), table, features, bounds) for table, features in FEATURES.items()]
    known = [part for part in parts if len(part)]
    rows = pd.concat(known, ignore_index=True) if known else _empty()
    order = np.lexsort((-rows["distance"].fillna(-1.0).to_numpy(np.float64), ~rows["is_clear"].to_numpy(np.bool_)))
    has_baseline = bool(rows["distance"].notna().any())
    parts = [_mark_rows(marks), rows.iloc[order]] if marks else [rows.iloc[order]]
    frame = MovedFrame(pd.concat(parts, ignore_index=True))
    frame.attrs["verdict"] = _verdict(frame) if has_baseline else NO_BASELINE
    return frame


def _verdict(rows: pd.DataFrame) -> str:
    clear, series = int(rows["is_clear"].sum()), int((rows["table"] != "marks").sum())
    return f"{clear} of {series:,} series clearly left their baseline" if clear else NOT_CLEAR


def _mark_rows(marks: Sequence[PlacedMark]) -> pd.DataFrame:
    import pandas as pd

    times_ns = np.array([mark.time_ns for mark in marks], np.int64)
    columns: dict[str, object] = {
        "table": "marks",
        "target": [mark.target for mark in marks],
        "metric": [mark.text for mark in marks],
        "change": "mark",
        "before": np.nan,
        "during": np.nan,
        "distance": np.nan,
        "onset": _moments(times_ns),
        "calm_until": _moments(np.zeros(len(marks), np.int64)),
        "is_clear": False,
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _empty() -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame({name: [] for name in COLUMNS})
    return frame.astype({"distance": "float64", "is_clear": "bool"})


def _part(
    frame: pd.DataFrame, table: FeatureTableName, features: Mapping[str, Floor], bounds: tuple[int, int, int]
) -> pd.DataFrame:
    """The rows of one table, not yet ordered."""
    first_ns, start_ns, end_ns = bounds
    times_ns, keys, matrices = _matrices(frame, KEYS[table], features, (first_ns, end_ns))
    if not len(times_ns):
        return _empty()
    values = np.concatenate(list(matrices.values()))
    begin = int(np.searchsorted(times_ns, start_ns, side="right"))
    floors = np.concatenate([_floors(matrix[:, :begin], features[name]) for name, matrix in matrices.items()])
    moved = rank_moved(values, times_ns, start_ns, floors)
    names = np.repeat(list(matrices), len(keys))
    targets = np.tile(keys["target"].to_numpy(object), len(matrices))
    metrics = names if "metric" not in keys else np.tile(keys["metric"].to_numpy(object), len(matrices))
    return _rows(table, targets, metrics, moved)


def _rows(table: str, targets: np.ndarray[Any, Any], metrics: np.ndarray[Any, Any], moved: Shifts) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, object] = {
        "table": table,
        "target": targets,
        "metric": metrics.astype(object),
        "change": [WORDS[one] for one in moved.change.tolist()],
        "before": moved.before,
        "during": moved.during,
        "distance": moved.distance,
        "onset": _moments(moved.onset_ns),
        "calm_until": _moments(moved.calm_ns),
        "is_clear": moved.is_clear,
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _moments(times_ns: IntArray) -> pd.Series:
    import pandas as pd

    moments = pd.Series(pd.to_datetime(times_ns, unit="ns", utc=True))
    return moments.where(times_ns > 0)


def _floors(before: FloatArray, floor: Floor) -> FloatArray:
    known = np.isfinite(before)
    mean = np.where(known, np.abs(before), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    floors: FloatArray = np.maximum(floor[0], floor[1] * mean)
    return floors


def _matrices(
    frame: pd.DataFrame, by: Iterable[str], features: Iterable[str], bounds: tuple[int, int]
) -> tuple[IntArray, pd.DataFrame, dict[str, FloatArray]]:
    """Window ends, the keys of the n series, and (n, windows) of each feature."""
    import pandas as pd

    present = [name for name in features if name in frame.columns]
    times = frame["time"].to_numpy("datetime64[ns]").astype(np.int64)
    within = (times > bounds[0]) & (times <= bounds[1])
    frame = frame[within]
    times_ns, column = _windows(times[within])
    names = list(by)
    codes, first = _codes([pd.factorize(frame[name])[0] for name in names])
    keys = frame[names].iloc[first].reset_index(drop=True)
    group = max(1, -(-len(times_ns) // MOST_WINDOWS))
    matrices = {}
    for name in present:
        matrix = np.full((len(keys), len(times_ns)), np.nan)
        matrix[codes, column] = frame[name].to_numpy(np.float64)
        matrices[name] = _averaged(matrix, group)
    return times_ns[group - 1 :: group] if group > 1 else times_ns, keys, matrices


def _windows(times: IntArray) -> tuple[IntArray, IntArray]:
    """The different times, rising, and the number of each; features come in their order, which saves a sort."""
    rises = np.diff(times, prepend=times[:1] - 1)
    if (rises >= 0).all():
        return times[rises > 0], np.cumsum(rises > 0) - 1
    different, numbers = np.unique(times, return_inverse=True)
    return different, numbers.astype(np.int64)


def _codes(parts: list[np.ndarray[Any, Any]]) -> tuple[IntArray, IntArray]:
    """Numbers of the combinations of several codes, and the row at which each is first seen."""
    whole = np.zeros(len(parts[0]), np.int64)
    for part in parts:
        whole = whole * (int(part.max(initial=0)) + 1) + part
    _, first, codes = np.unique(whole, return_index=True, return_inverse=True)
    return codes.astype(np.int64), first.astype(np.int64)


def _averaged(matrix: FloatArray, group: int) -> FloatArray:
    """Means of groups of neighbouring windows; the rest at the end is left out."""
    if group == 1:
        return matrix
    whole = matrix.shape[1] // group
    cells = matrix[:, : whole * group].reshape(len(matrix), whole, group)
    known = np.isfinite(cells).sum(axis=2)
    total = np.where(np.isfinite(cells), cells, 0.0).sum(axis=2)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)


def range_of_alert(alert: Mapping[str, Any] | pd.Series, extent_ns: tuple[int, int]) -> tuple[int, int]:
    """From 5 min before an alert was first seen to its end, at most 15 min after; two thirds are left for a baseline.

    Parameters
    ----------
    alert
        A row of `alerts()`.
    extent_ns
        The first and the last time of the data, UTC ns.
    """
    import pandas as pd

    pending_ns = pd.Timestamp(alert["pending_at"]).value
    lead_ns = max(0, min(LEAD_NS, (pending_ns - extent_ns[0]) // 3))
    ended = alert["ends_at"]
    last_ns = pd.Timestamp(ended).value if pd.notna(ended) else extent_ns[1]
    return pending_ns - lead_ns, max(pending_ns + NS_PER_SECOND, min(last_ns, pending_ns + LONGEST_NS))


def without_alert(moved: MovedFrame, alert: Mapping[str, Any] | pd.Series) -> MovedFrame:
    """Without the series that an alert is about: of a rule on latency or errors that of its target."""
    from aiops_nb.frames.moved_frame import MovedFrame

    own = (moved["target"] == alert["target"]) & _is_subject(
        moved, str(alert["alertname"]), str(alert.get("metric", ""))
    )
    rest = MovedFrame(moved[~own].reset_index(drop=True))
    rest.attrs["verdict"] = moved.verdict if moved.verdict == NO_BASELINE else _verdict(rest)
    return rest


def _is_subject(moved: pd.DataFrame, alertname: str, metric: str) -> pd.Series:
    if metric:
        return moved["metric"] == metric
    feature = "duration_p95_seconds" if "latency" in alertname else "error_ratio"
    return moved["metric"] == feature

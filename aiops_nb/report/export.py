"""Tables as files that any other tool reads: CSV, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import pandas as pd

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.moments import Moment
from aiops_nb.frames.base import FrameAccess
from aiops_nb.report.columns import NAMINGS, Naming, metric_names, named
from aiops_nb.session.recording import Recording
from aiops_nb.view.data.table_files import FORMATS, Format, write_table

Table = Literal["requests", "samples", "features", "scores", "alerts", "labels"]
TABLES: tuple[Table, ...] = get_args(Table)
WHOLE_NUMBERS = {
    name for naming in get_args(Naming) for name in named(["status_code", "response_bytes"], "requests", naming)
}


def export_tables(
    source: FrameAccess,
    out_dir: str | Path,
    *,
    format: Format = "csv",
    tables: Sequence[Table] = TABLES,
    start: Moment = None,
    end: Moment = None,
    naming: Naming = "aiops_nb",
    written: Callable[[Path, int], None] | None = None,
) -> list[Path]:
    """Write each table into a file of its own; features give one file for requests and one for samples.

    Files that exist are replaced only once all tables are written, and never by a range without any row.

    Parameters
    ----------
    source
        A recording or a monitor.
    out_dir
        Made if need be; files of the same name are replaced.
    format
        `csv` and `jsonl` have times as RFC 3339 UTC with nanoseconds, `parquet` as timestamps. In CSV, text that a
        spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab or line break) gets a `'` first.
    tables
        Which; all by default. A monitor has no labels and gives no such file.
    start, end
        Half-open range, as in `Recording.requests`; labels that overlap it.
    naming
        `otel` or `prometheus` for their column names, as docs/reference/columns.md lists them.
    written
        Called with the path and the number of rows of each file, for progress.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ConfigError
        If a format, table or naming is not known, or no row lies in the range.
    """
    _require(format, FORMATS, "format")
    _require(naming, tuple(NAMINGS), "naming")
    for table in tables:
        _require(table, TABLES, "tables")
    source.range_ns(start, end)
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".export-") as unfinished:
        rows: dict[str, int] = {}
        for name, frame in (one for table in tables for one in _frames(source, table, start, end)):
            with (Path(unfinished) / f"{name}.{format}").open("wb") as target:
                write_table(renamed(frame, name, naming), target, format, WHOLE_NUMBERS)
            rows[name] = len(frame)
        if not any(rows.values()):
            raise ConfigError("start, end: expected rows in this range, found none; nothing was written")
        return [_put_in_place(Path(unfinished), folder, f"{name}.{format}", rows[name], written) for name in rows]


def _put_in_place(
    unfinished: Path, folder: Path, name: str, rows: int, written: Callable[[Path, int], None] | None
) -> Path:
    path = (unfinished / name).replace(folder / name)
    if written is not None:
        written(path, rows)
    return path


def _require(value: str, known: Sequence[str], where: str) -> None:
    if value not in known:
        raise ConfigError.at(where, f"one of {', '.join(known)}", value)


def _frames(source: FrameAccess, table: Table, start: Moment, end: Moment) -> Iterable[tuple[str, pd.DataFrame]]:
    if table == "features":
        yield "features_requests", source.features("requests", start=start, end=end)
        yield "features_samples", source.features("samples", start=start, end=end)
    elif table == "labels":
        if isinstance(source, Recording):
            yield table, _labels_between(source.labels.to_frame().drop(columns="targets"), *source.range_ns(start, end))
    else:
        yield table, getattr(source, table)(start=start, end=end)


def _labels_between(labels: pd.DataFrame, start_ns: int | None, end_ns: int | None) -> pd.DataFrame:
    if start_ns is not None:
        labels = labels[labels["end"] > pd.Timestamp(start_ns, tz="UTC")]
    return labels if end_ns is None else labels[labels["start"] < pd.Timestamp(end_ns, tz="UTC")]


def renamed(frame: pd.DataFrame, table: str, naming: Naming) -> pd.DataFrame:
    """The same table under the names of another system."""
    if table == "requests" and naming == "prometheus":
        frame = frame.assign(probe_success=_success(frame))
    if table == "samples":
        frame = frame.assign(metric=frame["metric"].astype(object).replace(dict(metric_names(naming))))
    return frame.set_axis(named(list(frame.columns), table, naming), axis=1)


def _success(requests: pd.DataFrame) -> pd.Series:
    return (requests["error_type"].isna() & requests["status_code"].between(200, 399)).astype("int8")

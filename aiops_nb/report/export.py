"""Tables as files that any other tool reads: CSV, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import msgspec
import numpy as np
import pandas as pd

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.moments import Moment
from aiops_nb.frames.base import FrameAccess
from aiops_nb.report.columns import NAMINGS, Naming, metric_names, named
from aiops_nb.session.recording import Recording

Format = Literal["csv", "jsonl", "parquet"]
Table = Literal["requests", "samples", "features", "scores", "alerts", "labels"]
FORMATS: tuple[Format, ...] = get_args(Format)
TABLES: tuple[Table, ...] = get_args(Table)
FORMULA_STARTS = "=+-@\t\r\n"
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
            WRITERS[format](renamed(frame, name, naming), Path(unfinished) / f"{name}.{format}")
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
            yield table, _labels_between(source.labels(), *source.range_ns(start, end))
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


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    as_text(frame).apply(without_formulas).to_csv(path, index=False, lineterminator="\n")


def without_formulas(column: pd.Series) -> pd.Series:
    """Text that no spreadsheet computes: `=HYPERLINK(...)` in a recorded path would be a formula."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    texts = column.astype(object)
    is_formula = texts.map(lambda text: isinstance(text, str) and len(text) > 1 and text[0] in FORMULA_STARTS)
    return texts.where(~is_formula.astype(bool), "'" + texts.astype(str)) if len(texts) else column


def _write_jsonl(frame: pd.DataFrame, path: Path) -> None:
    columns = as_text(frame).astype(object)
    rows = columns.where(columns.notna(), None).to_dict("records")
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd")


WRITERS: Mapping[Format, Callable[[pd.DataFrame, Path], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Times as RFC 3339 UTC, and whole numbers without a decimal point although some are missing.

    Examples
    --------
    >>> times = pd.to_datetime(pd.Series([1_500_000_000, None]), utc=True)
    >>> print(as_text(pd.DataFrame({"time": times, "status_code": [200.0, None]})).to_csv(index=False))
    time,status_code
    1970-01-01T00:00:01.500000000Z,200
    ,
    <BLANKLINE>
    """
    return frame.assign(**{str(name): _texts(frame[name]) for name in frame.columns})


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        times = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")
        texts = pd.Series(np.char.add(np.datetime_as_string(times, unit="ns"), "Z"), index=column.index, dtype=object)
        return texts.where(column.notna(), None)
    if column.name in WHOLE_NUMBERS:
        return column.astype("Int64")
    return column

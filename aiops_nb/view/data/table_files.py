"""A DataFrame as a file that any other tool reads: CSV, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import BinaryIO, Literal, get_args

import msgspec
import numpy as np
import pandas as pd

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
FORMULA_STARTS = "=+-@\t\r\n"
WHOLE_NUMBERS = frozenset({"status_code", "response_bytes"})


def write_table(
    frame: pd.DataFrame, target: BinaryIO, format: Format, whole_numbers: Collection[str] = WHOLE_NUMBERS
) -> None:
    r"""Write a table: in CSV and JSON lines with times as RFC 3339 UTC, in Parquet as timestamps.

    In CSV, text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab or line break)
    gets a `'` first.

    Parameters
    ----------
    frame
        The table; its index is not written.
    target
        A file open for writing bytes.
    format
        One of `FORMATS`.
    whole_numbers
        Columns whose values are written without a decimal point although some are missing.

    Examples
    --------
    >>> from io import BytesIO
    >>> target = BytesIO()
    >>> write_table(pd.DataFrame({"target": ["=1+1"], "status_code": [200.0]}), target, "csv")
    >>> target.getvalue()
    b"target,status_code\n'=1+1,200\n"
    """
    if format == "parquet":
        frame.to_parquet(target, index=False, compression="zstd")
    else:
        _TEXT_WRITERS[format](as_text(frame, whole_numbers), target)


def _write_csv(texts: pd.DataFrame, target: BinaryIO) -> None:
    texts.apply(without_formulas).to_csv(target, index=False, lineterminator="\n")


def _write_jsonl(texts: pd.DataFrame, target: BinaryIO) -> None:
    columns = texts.astype(object)
    rows = columns.where(columns.notna(), None).to_dict("records")
    target.write(msgspec.json.Encoder().encode_lines(rows))


_TEXT_WRITERS: Mapping[str, Callable[[pd.DataFrame, BinaryIO], None]] = {"csv": _write_csv, "jsonl": _write_jsonl}


def without_formulas(column: pd.Series) -> pd.Series:
    """Text that no spreadsheet computes: `=HYPERLINK(...)` in a recorded path would be a formula."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    texts = column.astype(object)
    is_formula = texts.map(lambda text: isinstance(text, str) and len(text) > 1 and text[0] in FORMULA_STARTS)
    return texts.where(~is_formula.astype(bool), "'" + texts.astype(str)) if len(texts) else column


def as_text(frame: pd.DataFrame, whole_numbers: Collection[str] = WHOLE_NUMBERS) -> pd.DataFrame:
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
    return frame.assign(**{str(name): _texts(frame[name], whole_numbers) for name in frame.columns})


def _texts(column: pd.Series, whole_numbers: Collection[str]) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        times = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")
        texts = pd.Series(np.char.add(np.datetime_as_string(times, unit="ns"), "Z"), index=column.index, dtype=object)
        return texts.where(column.notna(), None)
    if column.name in whole_numbers:
        return column.astype("Int64")
    return column

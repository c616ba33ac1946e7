"""Long ranges in few rows that draw the same picture: in every pixel column the smallest and the largest value stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

COLUMNS = 300  # of pixels that a chart has at least; a narrower one draws several of them in one
ROUGH_COLUMNS = 60
MOST_ROWS = 1250  # of one chart: eight charts with their requests stay below 12,000
Data = dict[str, Any]
Rows = npt.NDArray[np.intp]


def thinned(data: Data, start: float, end: float, exact: str, rough: Sequence[str] = ()) -> Data:
    """The rows that show the same picture: at most 1,250.

    For each of 300 pixel columns the smallest and the largest value of `exact` stay, and the last gap that begins
    there: a line is interrupted where it was. The same for the `rough` ones, over 60 wider columns or fewer.

    Parameters
    ----------
    data
        Columns over `time`, which never falls.
    start, end
        Of the time axis.
    exact, rough
        Columns that lines are drawn of.

    Examples
    --------
    >>> data = {"time": np.arange(2000.0), "y": np.arange(2000.0) % 100}
    >>> few = thinned(data, 0.0, 2000.0, "y")
    >>> len(few["y"]), float(few["y"].max())
    (600, 99.0)
    """
    time = data["time"]
    if len(time) <= MOST_ROWS:
        return data
    kept = _extreme_rows(data, _column_of(time, start, end, COLUMNS), [exact])
    columns, rows = ROUGH_COLUMNS, kept
    while columns:
        rows = np.union1d(kept, _extreme_rows(data, _column_of(time, start, end, columns), rough))
        if len(rows) <= MOST_ROWS:
            break
        columns, rows = columns // 2, kept
    return {name: values[rows] for name, values in data.items()}


def rows_of_pixels(
    place: npt.NDArray[np.float64], names: Sequence[npt.NDArray[np.float64]], first: float, last: float
) -> Rows:
    """The rows that draw the same lines on a picture: of each pixel column its extremes and its last gap.

    Parameters
    ----------
    place
        (n,) where each row is drawn, in pixels from the left; never falls.
    names
        Each (n,): the values of a line, NaN where it is interrupted.
    first, last
        Pixels at which the chart begins and ends.

    Examples
    --------
    >>> rows_of_pixels(np.array([0.1, 0.2, 0.3, 0.4, 1.0]), [np.array([5.0, 1.0, 9.0, 5.0, 5.0])], 0.0, 2.0).tolist()
    [1, 2, 4]
    """
    if len(place) <= 2 * (last - first):
        return np.arange(len(place))
    column = np.clip(place - first, 0, max(last - first - 1, 0)).astype(np.intp)
    lines = {str(number): values for number, values in enumerate(names)}
    return _extreme_rows(lines, column, list(lines))


def _column_of(time: npt.NDArray[np.float64], start: float, end: float, columns: int) -> Rows:
    """The pixel column of each row."""
    place = (time - start) * (columns / max(end - start, 1e-9))
    return np.clip(place, 0, columns - 1).astype(np.intp)


def _extreme_rows(data: Data, column: Rows, names: Sequence[str]) -> Rows:
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    lengths = np.diff([*starts, len(column)])
    kept = [np.zeros(0, np.intp)]
    for name in names:
        values = data[name]
        unknown = np.isnan(values)
        gaps = np.flatnonzero(unknown & ~np.concatenate([[True], unknown[:-1]]))
        kept.append(gaps[np.diff(column[gaps], append=-1) != 0])  # the last of a column may go on in the next
        for extreme in (np.fmin, np.fmax):
            best = np.repeat(extreme.reduceat(values, starts), lengths)
            rows = np.flatnonzero(values == best)
            kept.append(rows[np.diff(column[rows], prepend=-1) > 0])
    return np.unique(np.concatenate(kept))

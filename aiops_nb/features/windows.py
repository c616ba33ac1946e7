"""Features of windows in a row that know the same series: one block of numbers instead of a table for each."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_nb.core.types import FeatureTable, FeatureTableName, FloatArray, SeriesKey


@dataclass(frozen=True, slots=True)
class FeatureWindows:
    """The features of every series over w windows in a row.

    Attributes
    ----------
    table
        What the series are made of.
    first_end_ns, tick_ns
        End of the first window, UTC ns, and width of each.
    series
        The n series, the same in every window.
    names
        The k feature names, with units.
    values
        (w, k, n) float64; NaN = not known.

    Examples
    --------
    >>> import numpy as np
    >>> windows = FeatureWindows("samples", 10, 5, (SeriesKey("db"),), ("value",), np.array([[[1.0]], [[2.0]]]))
    >>> len(windows), windows.at(1).end_ns, windows.at(1).column("value").tolist()
    (2, 15, [2.0])
    """

    table: FeatureTableName
    first_end_ns: int
    tick_ns: int
    series: tuple[SeriesKey, ...]
    names: tuple[str, ...]
    values: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def end_ns(self, place: int) -> int:
        """End of one window, UTC ns."""
        return self.first_end_ns + place * self.tick_ns

    def at(self, place: int) -> FeatureTable:
        """One window; its values are a view of the block."""
        return FeatureTable(self.table, self.end_ns(place), self.series, self.names, self.values[place])

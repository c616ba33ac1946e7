"""Colours that people with any colour vision tell apart, on white and on black."""

from __future__ import annotations

# Okabe and Ito 2008, lightened or darkened to be seen on both themes; vermilion is kept for trouble
SERIES = ("#2f8fd8", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8d7fd6", "#a9822b", "#8c8c8c")
TROUBLE = "#e4572e"
MARK = "#8d7fd6"  # what people did


def series_colour(place: int) -> str:
    """Colour of the series at a place.

    Examples
    --------
    >>> series_colour(0) == series_colour(8)
    True
    """
    return SERIES[place % len(SERIES)]

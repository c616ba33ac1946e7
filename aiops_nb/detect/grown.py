"""State of few series, copied to the beginning of a blank state of more."""

from __future__ import annotations

from typing import Any

import numpy as np


def grown(state: Any, blank: Any) -> Any:
    """The blank (nested, named) tuple of arrays, with what is known at its beginning.

    Examples
    --------
    >>> grown((np.array([1, 2]),), (np.zeros(3, int),))
    (array([1, 2, 0]),)
    """
    if isinstance(state, np.ndarray):
        blank[: len(state)] = state
        return blank
    if not isinstance(state, tuple):
        return blank
    parts = [grown(old, new) for old, new in zip(state, blank, strict=True)]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)

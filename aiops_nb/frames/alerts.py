"""The frame of alerts; imported late, because its class needs pandas."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from aiops_nb.frames.html import alerts_html


class AlertsFrame(pd.DataFrame):
    """A DataFrame of alerts, which a notebook shows with whole summaries, firing ones first.

    It is a plain DataFrame in all else: slices and results of its methods are plain DataFrames.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        return alerts_html(self)

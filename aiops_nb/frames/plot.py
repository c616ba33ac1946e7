"""Pictures of features and of what an alert saw: SVG, so that they stay in a saved notebook and run no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.moments import known_targets
from aiops_nb.core.quantities import readable_name, unit_name
from aiops_nb.core.types import FloatArray
from aiops_nb.view.charts.palette import series_colour
from aiops_nb.view.still.charts import Frame, Trace, still_chart

if TYPE_CHECKING:
    import pandas as pd

MOST_CHARTS = 12
BAND = ("expected", "lower", "upper")


@dataclass(frozen=True, slots=True)
class Picture:
    """Charts as SVG; a notebook shows them, `save` writes them to an HTML file."""

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def save(self, path: str | Path) -> Path:
        """Write an HTML page."""
        out = Path(path)
        out.write_text(f"<!doctype html><meta charset='utf-8'>{self.html}", encoding="utf-8")
        return out


def feature_picture(
    features: pd.DataFrame, scores: pd.DataFrame, feature: str, targets: str | Sequence[str] | None
) -> Picture:
    """A chart of a feature for each target, with the expected band where a rule judges the feature.

    Raises
    ------
    ConfigError
        If there is no such feature or target.
    """
    values = [name for name in features.columns if features[name].dtype.kind == "f"]
    if feature not in values:
        raise unknown("feature", "a feature of this table", feature, values)
    chosen = known_targets(targets, features["target"].unique())
    if chosen:
        features = features[features["target"].isin(chosen)]
    keys = [name for name in ("target", "metric") if name in features.columns]
    groups = list(features.groupby(keys, sort=False, observed=True))
    charts = []
    for place, (key, lines) in enumerate(groups[:MOST_CHARTS]):
        judged = scores[scores["feature"] == feature]
        for name, value in zip(keys, key, strict=True):
            judged = judged[judged[name] == value]
        title = " ".join(map(str, key))
        charts.append(_chart(title, feature, str(key[-1]), lines.assign(value=lines[feature]), judged, place))
    return _picture(charts, len(groups))


def evidence_picture(title: str, evidence: pd.DataFrame) -> Picture:
    """What `evidence` gave: a judged value with its band, or the durations of requests with the failed ones marked."""
    if evidence.empty:
        raise ConfigError("alert: expected one whose rows are still kept, got one without evidence")
    if "feature" in evidence.columns:
        groups = list(evidence.groupby(["target", "metric", "feature"], sort=False, observed=True))
        charts = [
            _chart(f"{title} {key[0]}", str(key[2]), str(key[1]), rows, rows, place)
            for place, (key, rows) in enumerate(groups[:MOST_CHARTS])
        ]
        return _picture(charts, len(groups))
    failed = evidence["error_type"].notna() | (evidence["status_code"].fillna(0) >= 500)
    rows = evidence.assign(value=evidence["duration_seconds"].fillna(0.0), is_anomaly=failed)
    of_targets = [(str(target), of_target) for target, of_target in rows.groupby("target", sort=False, observed=True)]
    charts = [
        _chart(f"{title} {target}", "duration_seconds", "", of_target, of_target.assign(expected=np.nan), place)
        for place, (target, of_target) in enumerate(of_targets[:MOST_CHARTS])
    ]
    return _picture(charts, len(of_targets))


def _chart(
    title: str, feature: str, metric: str, lines: pd.DataFrame, judged: pd.DataFrame, place: int
) -> tuple[str, float, float, float, list[Trace], str]:
    named = metric if feature == "value" else feature
    factor, unit = _unit(feature, metric, named)
    time_ms = _ms(lines)
    value = lines["value"].to_numpy(float) * factor
    colour = series_colour(place)
    traces = [Trace(name=title, colour=colour, time_ms=time_ms, value=value)]
    top = float(np.nanmax(value, initial=0.0))
    if len(judged) and set(BAND) <= set(judged.columns):
        _, low, high = (judged[name].to_numpy(float) * factor for name in BAND)
        marks = np.where(judged["is_anomaly"], judged["value"].to_numpy(float) * factor, np.nan)
        band = (np.nan_to_num(low, nan=0.0) + 0 * high, high)
        traces.append(
            Trace(name=title, colour=colour, time_ms=_ms(judged), value=high * np.nan, band=band, marks=marks)
        )
        top = max(top, float(np.nanmax(high, initial=0.0)))
    elif "is_anomaly" in judged.columns and len(judged):
        marks = np.where(judged["is_anomaly"], judged["value"].to_numpy(float) * factor, np.nan)
        traces.append(Trace(name=title, colour=colour, time_ms=_ms(judged), value=marks * np.nan, marks=marks))
    return f"{title}: {readable_name(named)}", float(time_ms.min()), float(time_ms.max()), top, traces, unit


def _unit(feature: str, metric: str, named: str) -> tuple[float, str]:
    if named.endswith("_seconds"):
        return 1_000.0, "ms"
    if named.endswith("_ratio"):
        return 100.0, "%"
    return 1.0, unit_name(feature, metric)


def _ms(frame: pd.DataFrame) -> FloatArray:
    moments: FloatArray = frame["time"].to_numpy("datetime64[ns]").astype(np.int64) / 1e6
    return moments


def _picture(charts: Sequence[tuple[str, float, float, float, list[Trace], str]], groups: int) -> Picture:
    if not charts:
        return Picture("<p>No rows in this range.</p>")
    start, end = min(chart[1] for chart in charts), max(chart[2] for chart in charts)
    parts = [
        still_chart(title, unit, Frame(start_ms=start, end_ms=end, top=float(f"{top * 1.05:.2g}") or 1.0), traces)
        for title, _, _, top, traces, unit in charts
    ]
    more = f"<p>{len(charts)} of {groups} shown; name others with targets=</p>" if groups > len(charts) else ""
    return Picture(f"<div>{''.join(parts)}{more}</div>")

"""A detector over what is already known: `score_series` and `score_frame`, by the code that runs live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray, Scores
from aiops_nb.detect.kernels import StreamParams
from aiops_nb.detect.offline import best_way, judged
from aiops_nb.detect.registry import algorithm, name_of, threshold_for
from aiops_nb.detect.scale import as_scores
from aiops_nb.detect.time_of_day import day_bins, week_bin, zone
from aiops_nb.ticked import ticked

if TYPE_CHECKING:
    import pandas as pd

FIRST_POINTS = 21  # their usual distance is taken as the series' interval
COOLDOWN_INTERVALS = 60


def score_series(
    series: pd.Series,
    detector: str | StreamParams | Detector = "default",
    *,
    timezone: str | None = None,
    false_alarms_per_day: float = 0.5,
    cooldown_seconds: float | None = None,
) -> pd.DataFrame:
    """Judge each value of a series by what came before it.

    The code is the one that runs live, every value being learned after it is judged; nothing later is ever looked at,
    so the scores of the first half of a series are the first half of its scores.

    Parameters
    ----------
    series
        Numbers by time, at any and even irregular distances. Times without a zone are UTC. What is not finite is not
        known: it scores NaN, and is passed over. Rows out of order are judged in order of time, equal times in order
        of rows.
    detector
        A name listed by `aiops_nb.detectors()`, or its parameters. Or a new live detector of one feature, such as
        `as_detector` makes: a copy of it sees a tick a value, which takes a tenth to some milliseconds each; it has
        its own threshold.
    timezone
        Named zone whose time of the day counts. None: the zone of the series' times.
    false_alarms_per_day
        How many a day may be expected of a healthy series: this is what the threshold means.
    cooldown_seconds
        Quiet time after an alarm. None: 60 times the series' interval.

    Returns
    -------
    pandas.DataFrame
        By UTC time, in the order of `series`: value, score (0 to 100, larger = stranger; NaN for the first 50 values),
        expected, lower, upper, is_anomaly (an alarm).

    Raises
    ------
    ConfigError
        If the series or an argument is not what is described here.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2026-01-01", periods=600, freq="1min", tz="UTC")
    >>> latency_seconds = pd.Series(0.1 + 0.01 * np.sin(np.arange(600.0)), index=times)
    >>> latency_seconds.iloc[500] = 0.4
    >>> scores = score_series(latency_seconds, "faults")
    >>> scores.score.idxmax() == times[500]
    True
    """
    name, params = _named(detector)
    utc, local_ns, zone_name = _times(series, timezone or (None if params.timezone == "UTC" else params.timezone))
    value, order = _values(series), np.argsort(utc.asi8, kind="stable")
    times_ns, known = utc.asi8[order], value[order]
    interval_seconds = params.interval_seconds or _interval_seconds(times_ns)
    if name is None:
        scores, threshold = ticked(detector, times_ns, known.reshape(1, -1))
    else:
        params = msgspec.structs.replace(params, timezone=zone_name, interval_seconds=interval_seconds)
        scores = _judged(name, params, known, local_ns[order])
        rate = _positive("false_alarms_per_day", false_alarms_per_day)
        threshold = threshold_for(params, rate, interval_seconds)
    alarm = alarms(scores.score >= threshold, times_ns, _quiet_ns(cooldown_seconds, interval_seconds))
    columns = {"score": scores.score, "expected": scores.expected, "lower": scores.lower, "upper": scores.upper}
    return _frame(utc, order, {"value": value}, {**columns, "is_anomaly": alarm})


def score_frame(
    df: pd.DataFrame,
    detector: str | StreamParams | Detector = "default",
    *,
    timezone: str | None = None,
    false_alarms_per_day: float = 0.5,
    cooldown_seconds: float | None = None,
) -> pd.DataFrame:
    """`score_series` of each column of numbers; the rows are those of each, under its name.

    A detector of several features, such as an isolation forest, judges each row by all of them: the rows are those of
    `df`, by UTC time, with the features, `score` and `is_anomaly`.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2026-01-01", periods=100, freq="5min", tz="UTC")
    >>> df = pd.DataFrame({"cpu_ratio": 0.5, "host": "a", "memory_ratio": 0.25}, index=times)
    >>> score_frame(df).index.get_level_values("series").unique().to_list()
    ['cpu_ratio', 'memory_ratio']
    """
    import pandas as pd

    if isinstance(detector, Detector) and len(detector.features) > 1:
        return _of_vectors(df, detector, cooldown_seconds)
    numbers = df.select_dtypes("number")
    if numbers.columns.empty:
        raise ConfigError.at("df", "at least one column of numbers", df.dtypes.astype(str).to_dict())
    scored = {
        name: score_series(
            numbers[name],
            detector,
            timezone=timezone,
            false_alarms_per_day=false_alarms_per_day,
            cooldown_seconds=cooldown_seconds,
        )
        for name in numbers.columns
    }
    return pd.concat(scored, names=["series", "time"])


def alarms(strange: BoolArray, times_ns: IntArray, quiet_ns: int) -> BoolArray:
    """The first strange point, and each next one after `quiet_ns` have passed since the last alarm.

    Examples
    --------
    >>> strange = np.array([False, True, True, True, True])
    >>> alarms(strange, np.arange(5), quiet_ns=2).tolist()
    [False, True, False, False, True]
    """
    alarm = np.zeros(len(strange), np.bool_)
    places = np.flatnonzero(strange)
    times = times_ns[places]
    at = 0
    while at < len(places):
        alarm[places[at]] = True
        at = max(at + 1, int(np.searchsorted(times, times[at] + quiet_ns, side="right")))
    return alarm


def _named(detector: object) -> tuple[str | None, StreamParams]:
    """Name of the algorithm and its parameters; no name for a detector that comes ready."""
    if isinstance(detector, StreamParams):
        return name_of(detector), detector
    if isinstance(detector, str):
        return detector, algorithm(detector).params()
    if isinstance(detector, Detector) and len(detector.features) <= 1:
        return None, StreamParams()
    raise ConfigError.at("detector", "a name, its parameters, or a detector of one feature", _told(detector))


def _told(detector: object) -> object:
    return f"one of {', '.join(detector.features)}" if isinstance(detector, Detector) else detector


def _judged(name: str, params: StreamParams, value: FloatArray, local_ns: IntArray) -> Scores:
    kernel, bins = algorithm(name).kernel, day_bins(params.interval_seconds)
    verdict = judged(kernel, params, bins, value, week_bin(local_ns, bins), best_way(kernel, len(value)))
    return as_scores(params, value, verdict)


def _of_vectors(df: pd.DataFrame, detector: Detector, cooldown_seconds: float | None) -> pd.DataFrame:
    missing = [name for name in detector.features if name not in df.columns]
    if missing:
        raise ConfigError.at("df", f"columns {', '.join(detector.features)}", f"none named {', '.join(missing)}")
    utc, _, _ = _times(df[detector.features[0]], None)
    order = np.argsort(utc.asi8, kind="stable")
    values = np.stack([_values(df[name])[order] for name in detector.features])
    times_ns = utc.asi8[order]
    scores, threshold = ticked(detector, times_ns, values)
    quiet_ns = _quiet_ns(cooldown_seconds, _interval_seconds(times_ns))
    told = {"score": scores.score, "is_anomaly": alarms(scores.score >= threshold, times_ns, quiet_ns)}
    return _frame(utc, order, {}, dict(zip(detector.features, values, strict=True)) | told)


def _quiet_ns(cooldown_seconds: float | None, interval_seconds: float) -> int:
    seconds = COOLDOWN_INTERVALS * interval_seconds if cooldown_seconds is None else cooldown_seconds
    return round(seconds * NS_PER_SECOND)


def _times(series: pd.Series, timezone: str | None) -> tuple[pd.DatetimeIndex, IntArray, str]:
    """UTC times, the same on local clocks in ns, and the name of the local zone."""
    import pandas as pd

    if not isinstance(series, pd.Series) or not isinstance(series.index, pd.DatetimeIndex):
        raise ConfigError.at("series", "a pandas Series of numbers by time (DatetimeIndex)", _kind_of(series))
    if series.index.hasnans:
        raise ConfigError.at("series", "a time in each row", f"none in row {int(np.argmax(series.index.isna()))}")
    given = series.index if series.index.tz is not None else series.index.tz_localize("UTC")
    utc = given.tz_convert("UTC").as_unit("ns")
    name = timezone or str(given.tz)
    if timezone is not None:
        zone(timezone)
    local = utc.tz_convert(timezone or given.tz).tz_localize(None)
    return utc, local.asi8, name


def _kind_of(series: object) -> str:
    index = getattr(series, "index", None)
    return f"{type(series).__name__} by {type(index).__name__}" if hasattr(index, "dtype") else type(series).__name__


def _values(series: pd.Series) -> FloatArray:
    try:
        value = series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    except (TypeError, ValueError):
        raise ConfigError.at("series", "numbers", f"values of type {series.dtype}") from None
    value[~np.isfinite(value)] = np.nan
    return value


def _interval_seconds(times_ns: IntArray) -> float:
    """Usual distance of the first values, so that what comes later changes nothing; 300 if there is none."""
    steps = np.diff(times_ns[:FIRST_POINTS])
    steps = steps[steps > 0]
    return float(np.median(steps)) / 1e9 if len(steps) else 300.0


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ConfigError.at(name, "a number > 0", value)
    return value


def _frame(
    utc: pd.DatetimeIndex, order: IntArray, given: dict[str, FloatArray], columns: Mapping[str, FloatArray | BoolArray]
) -> pd.DataFrame:
    """The columns, computed in order of time, in the order that was given."""
    import pandas as pd

    back = np.argsort(order, kind="stable")
    return pd.DataFrame({**given, **{name: column[back] for name, column in columns.items()}}, index=utc)

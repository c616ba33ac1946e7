"""A detector over what is already known: `score_series` and `score_frame`, by the code that runs live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from aiops_nb.core.errors import ConfigError, not_negative, positive
from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray, Scores
from aiops_nb.detect.kernel import StreamParams
from aiops_nb.detect.registry import name_of, series_detector, threshold_for
from aiops_nb.detect.score_scale import as_scores, without_contradiction
from aiops_nb.detect.streaming import StreamingDetector
from aiops_nb.detect.time_of_day import day_bins, week_bin
from aiops_nb.offline.series import in_given_order, require_frame, times_of, typical_interval_seconds, values_of
from aiops_nb.offline.verdicts import reason_columns, ticked
from aiops_nb.offline.walk import best_way, explained, judged

if TYPE_CHECKING:
    import pandas as pd

COOLDOWN_INTERVALS = 60
DEFAULT_RATE = 0.5  # false alarms a day
MOST_SECONDS = 9e9  # all of the time that nanoseconds can hold


def score_series(
    series: pd.Series,
    detector: str | StreamParams | Detector = "default",
    *,
    timezone: str | None = None,
    false_alarms_per_day: float | None = None,
    cooldown_seconds: float | None = None,
    explain: bool = False,
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
        How many a day may be expected of a healthy series: this is what the threshold means. None: 0.5, or the
        threshold of a detector that is ready made. It is calibrated for one in 500 to one in 864,000 values: of hourly
        values, ask for 0.048 or less; a warning (`UserWarning`) says which rate to expect otherwise.
    cooldown_seconds
        Quiet time after an alarm. None: 60 times the series' interval.
    explain
        Say of each alarm why, at the cost of a second walk over the series.

    Returns
    -------
    pandas.DataFrame
        By UTC time, in the order of `series`: value, score (0 to 100, larger = more anomalous; NaN for the first 50
        values), expected, lower, upper, is_anomaly (an alarm). With `explain` also detector, and for alarms
        contributions (JSON: shares of the raw score by its parts) and summary (a sentence).

    Raises
    ------
    ConfigError
        If the series or an argument is not what is described here.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2026-01-01", periods=600, freq="1min", tz="UTC")
    >>> latency_seconds = pd.Series(0.1 + 0.01 * np.sin(np.arange(600.0)), times, name="wait_seconds")
    >>> latency_seconds.iloc[500] = 0.4
    >>> scores = score_series(latency_seconds, "faults")
    >>> scores.score.idxmax() == times[500]
    True
    >>> score_series(latency_seconds, "faults", explain=True).summary[times[500]].split("; ")[-1]
    'mainly because of the new value (72 %)'
    """
    name, params = _named(detector)
    rate = positive("false_alarms_per_day", DEFAULT_RATE if false_alarms_per_day is None else false_alarms_per_day)
    utc, local_ns, zone_name = times_of(series, _zone(timezone, params))
    value, order = values_of(series), np.argsort(utc.asi8, kind="stable")
    times_ns, known = utc.asi8[order], value[order]
    interval_seconds = params.interval_seconds or typical_interval_seconds(times_ns)
    if name is None:
        ticks = ticked(detector, times_ns, known.reshape(1, -1), explain=explain)
        scores = ticks.scores
        threshold = _ready_threshold(detector, false_alarms_per_day, interval_seconds, ticks.threshold)
    else:
        params = msgspec.structs.replace(params, timezone=zone_name, interval_seconds=interval_seconds)
        walk = _Walk(name, params, known, local_ns[order])
        scores, threshold = walk.scores(), threshold_for(params, rate, interval_seconds)
    alarm = alarms(scores.score >= threshold, times_ns, _quiet_ns(cooldown_seconds, interval_seconds))
    scores = without_contradiction(scores, known, alarm)
    columns = {"score": scores.score, "expected": scores.expected, "lower": scores.lower, "upper": scores.upper}
    reasons = {}
    if explain:
        label = "value" if series.name is None else str(series.name)
        shares = ticks.shares if name is None else walk.shares(alarm)
        detector_name = str(name or getattr(detector, "name", ""))
        reasons = reason_columns(detector_name, {label: known}, scores, alarm, shares)
    return in_given_order(utc, order, {"value": value}, {**columns, "is_anomaly": alarm, **reasons})


def score_frame(
    df: pd.DataFrame,
    detector: str | StreamParams | Detector = "default",
    *,
    timezone: str | None = None,
    false_alarms_per_day: float | None = None,
    cooldown_seconds: float | None = None,
    explain: bool = False,
) -> pd.DataFrame:
    """Score each column of numbers as `score_series` does.

    A detector of several features, such as an isolation forest, judges each row by all of them: the rows are those of
    `df`, by UTC time, with the features, `score` and `is_anomaly`; with `explain`, contributions are by feature.

    Parameters
    ----------
    df
        Numbers by time, one column per series; other columns are left out.
    detector, timezone, false_alarms_per_day, cooldown_seconds, explain
        As in `score_series`.

    Returns
    -------
    pandas.DataFrame
        The rows of `score_series` by series and UTC time; of a detector of several features one row per row of `df`.

    Raises
    ------
    ConfigError
        If the frame or an argument is not what is described here.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2026-01-01", periods=100, freq="5min", tz="UTC")
    >>> df = pd.DataFrame({"cpu_ratio": 0.5, "host": "a", "memory_ratio": 0.25}, index=times)
    >>> score_frame(df).index.get_level_values("series").unique().to_list()
    ['cpu_ratio', 'memory_ratio']
    """
    import pandas as pd

    require_frame(df)
    if false_alarms_per_day is not None:
        positive("false_alarms_per_day", false_alarms_per_day)
    if isinstance(detector, Detector) and len(detector.features) > 1:
        _ready_threshold(detector, false_alarms_per_day, 1.0, 0.0)
        return _of_vectors(df, detector, timezone, cooldown_seconds, explain)
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
            explain=explain,
        )
        for name in numbers.columns
    }
    return pd.concat(scored, names=[*_names(numbers), "time"])


def _ready_threshold(detector: object, rate: float | None, interval_seconds: float, own: float) -> float:
    """The threshold of a detector that comes ready: its own, or by a rate if its scores are calibrated."""
    if rate is None:
        return own
    if isinstance(detector, StreamingDetector):
        return threshold_for(detector.params, rate, interval_seconds)
    name = getattr(detector, "name", type(detector).__name__)
    raise ConfigError(
        f"false_alarms_per_day: scores of {name} have no calibrated false-alarm rate; set the detector's `threshold`"
    )


def _names(numbers: pd.DataFrame) -> list[str]:
    levels = numbers.columns.names
    return ["series"] if len(levels) == 1 else [str(name or f"series_{at}") for at, name in enumerate(levels)]


def alarms(anomalous: BoolArray, times_ns: IntArray, quiet_ns: int) -> BoolArray:
    """The first anomalous point, and each next one after `quiet_ns` have passed since the last alarm.

    Examples
    --------
    >>> anomalous = np.array([False, True, True, True, True])
    >>> alarms(anomalous, np.arange(5), quiet_ns=2).tolist()
    [False, True, False, False, True]
    """
    alarm = np.zeros(len(anomalous), np.bool_)
    positions = np.flatnonzero(anomalous)
    times = times_ns[positions]
    at = 0
    while at < len(positions):
        alarm[positions[at]] = True
        quiet_until = min(int(times[at]) + quiet_ns, int(times[-1]))
        at = max(at + 1, int(np.searchsorted(times, quiet_until, side="right")))
    return alarm


def _named(detector: object) -> tuple[str | None, StreamParams]:
    """Name of the algorithm and its parameters; no name for a detector that comes ready."""
    if isinstance(detector, StreamParams):
        return name_of(detector), detector
    if isinstance(detector, str):
        params = series_detector(detector).params()
        assert isinstance(params, StreamParams)
        return detector, params
    if isinstance(detector, Detector) and len(detector.features) <= 1:
        return None, StreamParams()
    raise ConfigError.at("detector", "a name, its parameters, or a detector of one feature", _shown(detector))


def _zone(timezone: str | None, params: StreamParams) -> str | None:
    return params.timezone if timezone is None and params.timezone != "UTC" else timezone


def _shown(detector: object) -> object:
    return f"one of {', '.join(detector.features)}" if isinstance(detector, Detector) else detector


class _Walk:
    """One series, and the kernel that walks it."""

    def __init__(self, name: str, params: StreamParams, value: FloatArray, local_ns: IntArray) -> None:
        kernel, bins = series_detector(name).kernel, day_bins(params.interval_seconds)
        assert kernel is not None
        self._params, self._walked = params, (kernel, params, bins, value, week_bin(local_ns, bins))
        self._way = best_way(kernel, len(value))

    def scores(self) -> Scores:
        return as_scores(self._params, self._walked[3], judged(*self._walked, self._way))

    def shares(self, alarm: BoolArray) -> dict[int, dict[str, float]]:
        """Of each alarm, by its row."""
        positions = np.flatnonzero(alarm)
        ticks = explained(*self._walked, positions, self._way)
        by_row = ({name: float(share[number]) for name, share in ticks.items()} for number in range(len(positions)))
        return dict(zip(positions.tolist(), by_row, strict=True))


def _of_vectors(
    df: pd.DataFrame, detector: Detector, timezone: str | None, cooldown_seconds: float | None, explain: bool
) -> pd.DataFrame:
    missing = [name for name in detector.features if name not in df.columns]
    if missing:
        raise ConfigError.at("df", f"columns {', '.join(detector.features)}", f"none named {', '.join(missing)}")
    utc, _, _ = times_of(df[detector.features[0]], timezone)
    order = np.argsort(utc.asi8, kind="stable")
    values = np.stack([values_of(df[name])[order] for name in detector.features])
    times_ns = utc.asi8[order]
    ticks = ticked(detector, times_ns, values, explain=explain)
    quiet_ns = _quiet_ns(cooldown_seconds, typical_interval_seconds(times_ns))
    score, features = ticks.scores.score, dict(zip(detector.features, values, strict=True))
    alarm = alarms(score >= ticks.threshold, times_ns, quiet_ns)
    why = reason_columns(detector.name, features, ticks.scores, alarm, ticks.shares) if explain else {}
    return in_given_order(utc, order, {}, {**features, "score": score, "is_anomaly": alarm, **why})


def _quiet_ns(cooldown_seconds: float | None, interval_seconds: float) -> int:
    given = COOLDOWN_INTERVALS * interval_seconds if cooldown_seconds is None else cooldown_seconds
    return round(min(not_negative("cooldown_seconds", given), MOST_SECONDS) * NS_PER_SECOND)

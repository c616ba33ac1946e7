"""Preprocessing of frames: grid, gaps, zones, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.offline.preprocess import preprocess_frame, preprocess_series
from aiops_nb.preprocess.params import EmaParams, HampelParams, MovingMedianParams, ResampleParams, StepParams, name_of
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "preprocessing.md").read_text(encoding="utf-8")
SECOND = ResampleParams(interval_seconds=1, max_gap_seconds=2)


def at(*seconds: float, zone: str | None = "UTC") -> pd.DatetimeIndex:
    """Times on a day of January."""
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(list(seconds), unit="s")
    return times if zone is None else times.tz_localize(zone)


def test_a_point_takes_the_nearest_known_value_before_it_if_not_too_old() -> None:
    series = pd.Series([1.0, 2.0, np.nan, 3.0, 4.0], at(0.5, 0.9, 2.2, 5.0, 5.5), name="cpu_ratio")
    cleaned = preprocess_series(series, [SECOND])
    assert cleaned.index.equals(at(1, 2, 3, 4, 5))
    np.testing.assert_array_equal(cleaned, [2, 2, np.nan, np.nan, 3])
    assert cleaned.name == "cpu_ratio"


def test_the_oldest_value_in_use_is_as_old_as_the_gap_may_be() -> None:
    cleaned = preprocess_series(pd.Series([1.0, 9.0], at(0, 4)), [SECOND])
    np.testing.assert_array_equal(cleaned, [1, 1, 1, np.nan, 9])


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_the_zone_and_the_name_of_the_index_stay(zone: str | None) -> None:
    index = at(0.5, 3, zone=zone).rename("time")
    cleaned = preprocess_series(pd.Series([1.0, 2.0], index), [SECOND])
    assert cleaned.index.equals(at(1, 2, 3, zone=zone))
    assert cleaned.index.name == "time"


def test_each_column_has_its_own_gaps() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [np.nan, 5.0, 6.0]}, at(0, 1, 4))
    cleaned = preprocess_frame(frame, [SECOND])
    np.testing.assert_array_equal(cleaned["a"], [1, 1, 1, np.nan, 3])
    np.testing.assert_array_equal(cleaned["b"], [np.nan, 5, 5, 5, 6])


def test_the_steps_after_the_grid_work_on_its_points() -> None:
    series = pd.Series([0.0, 8.0], at(0, 1.5))
    steps = [ResampleParams(interval_seconds=0.5), EmaParams(half_life_values=1)]
    assert preprocess_series(series, steps).tolist() == [0, 0, 0, 4]


def test_rows_between_two_points_give_no_point() -> None:
    cleaned = preprocess_series(pd.Series([1.0, 2.0], at(0.2, 0.8)), [SECOND, EmaParams()])
    assert cleaned.empty


@pytest.mark.parametrize("steps", [[], [EmaParams()], [SECOND], [SECOND, HampelParams()]])
def test_nothing_gives_nothing(steps: list[StepParams]) -> None:
    assert preprocess_series(pd.Series([], at(), dtype=float), steps).empty
    assert preprocess_frame(pd.DataFrame(index=at(0, 1)), steps).shape == (2, 0)


def test_nullable_and_whole_numbers_are_read_and_the_frame_stays_as_it_is() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": [4, 5, 6], "c": [True, False, True]})
    before = frame.copy()
    cleaned = preprocess_frame(frame, [MovingMedianParams(window_values=3)])
    np.testing.assert_array_equal(cleaned["a"], [1, np.nan, 2])
    np.testing.assert_array_equal(cleaned["b"], [4, 4.5, 5])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"target": ["a"]}, at(0)), "column 'target': expected numbers"),
        (pd.DataFrame({"time": at(0)}, at(0)), "column 'time': expected numbers"),
        (pd.DataFrame({"a": [1.0, 2.0]}), "resample: expected an index of times, got 'int64'"),
        (pd.DataFrame({"a": [1.0, 2.0]}, at(1, 0)), "resample: expected times in order"),
        (pd.DataFrame({"a": [1.0, 2.0]}, pd.DatetimeIndex(["2026", None])), "expected a time in every row"),
        (pd.DataFrame({"a": [1.0, 2.0]}, pd.DatetimeIndex(["1970", "2026"])), "a grid of at most 50000000 points"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(frame: pd.DataFrame, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        preprocess_frame(frame, [SECOND])


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([{"type": "hampl"}], r"^steps\[0\].type: expected one of hampel, .*, got 'hampl'; did you mean hampel\?$"),
        ([{"window_values": 3}], r"^steps\[0\].type: expected one of hampel, .*, got None$"),
        (
            [{"type": "ema"}, {"type": "ema", "half_life": 3}],
            r"^steps\[1\].half_life: .*; did you mean half_life_values\?$",
        ),
        ([{"type": "hampel", "window_values": 1}], r"^steps\[0\].window_values: expected int >= 3, got 1$"),
        ([{"type": "ema", "half_life_values": "3"}], r"^steps\[0\].half_life_values: expected float, got str$"),
        ([{"type": "scale", "method": "standrd"}], r"^steps\[0\].method: expected a known value, got 'standrd'$"),
        ({"type": "ema"}, r"^steps: expected a list of steps, got {"),
        (["ema"], r"^steps\[0\]: expected a mapping such as"),
    ],
)
def test_a_wrong_step_is_named(steps: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        preprocess_frame(pd.DataFrame({"a": [1.0]}), steps)


def test_what_is_no_pandas_is_refused() -> None:
    with pytest.raises(ConfigError, match="series: expected a pandas Series, got 'list'"):
        preprocess_series([1.0], [])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="df: expected a pandas DataFrame, got 'dict'"):
        preprocess_frame({"a": [1.0]}, [])  # type: ignore[arg-type]


@pytest.mark.parametrize("params", StepParams.__args__, ids=name_of)
def test_the_page_tells_each_step_and_its_parameters(params: type[StepParams]) -> None:
    assert f"| `{name_of(params())}` |" in PAGE
    assert [one.name for one in msgspec.structs.fields(params) if f"`{one.name}`" not in PAGE] == []

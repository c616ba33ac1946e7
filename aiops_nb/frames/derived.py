"""Ticks and alert changes as Arrow tables, for the disk, and back as the frames that they would have made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.types import AlertChange, FeatureTableName, ScoredFeature, SeriesKey, Tick
from aiops_nb.frames.build import KEYS, REASON_COLUMNS, SCORE_NUMBERS, reasons_of, text_column
from aiops_nb.rules.feature.verdict_texts import wordings_of

if TYPE_CHECKING:
    import pandas as pd

TIME = pa.timestamp("ns", "UTC")
CODED = pa.dictionary(pa.int32(), pa.string())
SERIES_KEYS = ("target", "origin", "metric")
RULE_KEYS = ("alertname", "feature", "detector")


def features_table(table: FeatureTableName, ticks: Sequence[Tick]) -> pa.Table:
    """The features of several ticks that have the same names, a row per tick and series; (k, n) of each in order."""
    features = [tick.features for tick in ticks]
    series = [one.series for one in features]
    columns = {"time": _times([one.end_ns for one in features], series)}
    columns |= _keys(series, KEYS[table])
    values = np.concatenate([one.values for one in features], axis=1)
    columns |= {name: pa.array(row) for name, row in zip(features[0].names, values, strict=True)}
    return pa.table(columns)


def scores_table(ticks: Sequence[Tick]) -> pa.Table:
    """The verdicts of several ticks, a row per tick, rule and series; what is anomalous has its reasons in words."""
    scored = [(tick, part) for tick in ticks for part in tick.scored if len(part.value)]
    parts = [part for _, part in scored]
    series, counts = [part.series for part in parts], [len(part.value) for part in parts]
    columns: dict[str, Any] = {"time": _times([tick.features.end_ns for tick, _ in scored], series)}
    columns |= _keys(series, SERIES_KEYS)
    columns |= {name: _repeated([getattr(part, name) for part in parts], counts) for name in RULE_KEYS}
    columns["value"] = _floats([part.value for part in parts])
    columns |= {name: _floats([getattr(part.scores, name) for part in parts]) for name in SCORE_NUMBERS[1:]}
    columns["threshold"] = pa.array(np.repeat(np.array([part.threshold for part in parts], np.float64), counts))
    columns["is_anomaly"] = pa.array(_joined([part.is_anomaly for part in parts], np.bool_))
    columns["accepted"] = pa.array(_accepted_of(parts, sum(counts)))
    return pa.table(columns | _reason_columns(parts))


def _reason_columns(parts: Sequence[ScoredFeature]) -> dict[str, pa.Array]:
    """In words why series are anomalous; few are, so the others are never looked at one by one."""
    rows, before, whys = [], 0, []
    for part in parts:
        if part.reasons is not None:
            of_part = reasons_of(part)
            anomalous = [row for row, why in enumerate(of_part) if why is not None]
            rows += [before + row for row in anomalous]
            whys += [of_part[row] for row in anomalous]
        before += len(part.value)
    if not rows:
        return {name: pa.nulls(before, pa.string()) for name in REASON_COLUMNS}
    words: dict[str, list[str | None]] = {name: [None] * before for name in REASON_COLUMNS}
    for row, wording in zip(rows, wordings_of(whys), strict=True):
        for name, text in zip(REASON_COLUMNS, wording, strict=True):
            words[name][row] = text
    return {name: pa.array(texts, pa.string()) for name, texts in words.items()}


def _accepted_of(parts: Sequence[ScoredFeature], rows: int) -> np.ndarray[Any, Any]:
    if not any(len(part.accepted) for part in parts):
        return np.zeros(rows, np.bool_)
    return _joined(
        [part.accepted if len(part.accepted) else np.zeros(len(part.value), np.bool_) for part in parts], np.bool_
    )


def _joined(parts: Sequence[np.ndarray[Any, Any]], kind: type[Any]) -> np.ndarray[Any, Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _floats(parts: Sequence[np.ndarray[Any, Any]]) -> pa.Array:
    return pa.array(_joined(parts, np.float64))


def _times(ends_ns: Sequence[int], series: Sequence[Sequence[SeriesKey]]) -> pa.Array:
    ends = np.repeat(np.array(ends_ns, np.int64), [len(keys) for keys in series])
    return pa.array(ends).cast(TIME)


def _keys(several: Sequence[tuple[SeriesKey, ...]], names: Iterable[str]) -> dict[str, pa.Array]:
    """A column for each part of the key; tuples of series are shared between ticks, so each is looked at once."""
    return {name: _names(several, attrgetter(name)) for name in names}


def _names(several: Sequence[tuple[SeriesKey, ...]], name: Callable[[SeriesKey], str]) -> pa.Array:
    codes: dict[str, int] = {}
    known: dict[int, np.ndarray[Any, Any]] = {}
    for series in several:
        if id(series) not in known:
            places = [codes.setdefault(name(key), len(codes)) for key in series]
            known[id(series)] = np.array(places, np.int32)
    indices = _joined([known[id(series)] for series in several], np.int32).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(list(codes), pa.string()))


def _repeated(words: Sequence[str], counts: Sequence[int]) -> pa.Array:
    coded = pa.array(words, pa.string()).dictionary_encode()
    indices = np.repeat(coded.indices.to_numpy(), counts).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indices), coded.dictionary)


def frame_of(tables: Iterable[pa.Table], start_ns: int | None, end_ns: int | None) -> pd.DataFrame | None:
    """The rows of a range as a frame; None where there are none.

    Columns that only some pieces have are NaN in the others. Words are plain strings.
    """
    pieces = [piece for table in tables if (piece := _cut(table, start_ns, end_ns)).num_rows]
    if not pieces:
        return None
    whole = pa.concat_tables(pieces, promote_options="permissive")
    for place, field in enumerate(whole.schema):
        if pa.types.is_dictionary(field.type):
            whole = whole.set_column(place, field.name, whole.column(place).cast(pa.large_string()))
    frame: pd.DataFrame = whole.to_pandas()
    for name in REASON_COLUMNS:
        if name in frame.columns:
            frame[name] = text_column(whole.column(name).to_pylist())
    return frame


def _cut(table: pa.Table, start_ns: int | None, end_ns: int | None) -> pa.Table:
    time = table.column("time").cast(pa.int64())
    keep = None if start_ns is None else pc.greater_equal(time, start_ns)
    if end_ns is not None:
        before = pc.less(time, end_ns)
        keep = before if keep is None else pc.and_(keep, before)
    return table if keep is None else table.filter(keep)


def changes_table(changes: Sequence[AlertChange]) -> pa.Table:
    """Alert changes, a row each, with all their fields; `time` is when each was made."""
    kinds = _change_types()
    columns = {"time": pa.array([change.time_ns for change in changes], pa.int64()).cast(TIME)}
    for name, (kind, out, _) in kinds.items():
        columns[name] = pa.array([out(getattr(change, name)) for change in changes], kind)
    return pa.table(columns)


def changes_of(table: pa.Table) -> list[AlertChange]:
    """The alert changes that `changes_table` was made of."""
    kinds = _change_types()
    columns = [map(back, table.column(name).to_pylist()) for name, (_, _, back) in kinds.items()]
    return [AlertChange(**dict(zip(kinds, values, strict=True))) for values in zip(*columns, strict=True)]


def _same(value: Any) -> Any:
    return value


def _items(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(value.items())


@cache
def _change_types() -> dict[str, tuple[pa.DataType, Callable[[Any], Any], Callable[[Any], Any]]]:
    """Of each field of a change, its Arrow type, and the way there and back; from the types of the class."""
    hints = get_type_hints(AlertChange)
    return {field.name: _arrow_type(field.name, hints[field.name]) for field in fields(AlertChange)}


def _arrow_type(name: str, hint: Any) -> tuple[pa.DataType, Callable[[Any], Any], Callable[[Any], Any]]:
    plain: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        hint = next(one for one in arguments if one is not NoneType)
    if hint in plain:
        return plain[hint], _same, _same
    if origin is tuple:
        return pa.list_(plain[arguments[0]]), list, tuple
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return pa.map_(plain[arguments[0]], plain[arguments[1]]), _items, dict
    if all(isinstance(one, str) for one in arguments):  # a Literal
        return pa.string(), _same, _same
    raise TypeError(f"AlertChange.{name}: no Arrow type for {hint}")

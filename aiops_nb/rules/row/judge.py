"""Judges single rows by one rule."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import Transition
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, BoolArray, IntArray, SeriesKey
from aiops_nb.features.requests.rows import RequestRows
from aiops_nb.features.requests.totals import TOO_MANY_REQUESTS, Totals
from aiops_nb.rules.row.chance import BaselineHits, Pace, Whole
from aiops_nb.rules.row.params import RowRuleParams
from aiops_nb.rules.row.sentences import FAILURES, failures_sentence, one_line, responses_sentence
from aiops_nb.rules.row.streaks import RowRule, RowTransition
from aiops_nb.rules.sentences import ended

ROW_RULE_DETECTOR = "row_rule"


def _answered_5xx(rows: RequestRows) -> BoolArray:
    return rows.status_code >= 500


def _answered_4xx(rows: RequestRows) -> BoolArray:
    client_error: BoolArray = (rows.status_code >= 400) & (rows.status_code < 500)
    return client_error & ~_answered_429(rows)


def _answered_429(rows: RequestRows) -> BoolArray:
    too_many: BoolArray = rows.status_code == TOO_MANY_REQUESTS
    return too_many


def _failed(rows: RequestRows) -> BoolArray:
    return rows.failed


CONDITIONS: dict[str, Callable[[RequestRows], BoolArray]] = {
    "status_5xx": _answered_5xx,
    "status_4xx": _answered_4xx,
    "status_429": _answered_429,
    "failed": _failed,
}
NOBODY: IntArray = np.zeros(0, np.int64)
ACCEPT_NS = 3600 * NS_PER_SECOND  # what has gone on for so long is the baseline


def _code(kind: str) -> int:
    return zlib.crc32(kind.encode())


KINDS = {_code(kind): kind for kind in FAILURES}


def failure_codes(error_type: pa.DictionaryArray) -> IntArray:
    """A number for each row's kind of failure, 0 where there is none, (rows,).

    Examples
    --------
    >>> codes = failure_codes(pa.array(["dns", None, "dns", "mine"]).dictionary_encode())
    >>> [KINDS.get(code) for code in codes.tolist()]
    ['dns', None, 'dns', None]
    """
    of_kind = np.array([0, *(_code(kind) if kind else 0 for kind in error_type.dictionary.to_pylist())], np.int64)
    codes: IntArray = of_kind[np.asarray(error_type.indices.fill_null(-1), np.int64) + 1]
    return codes


class RowJudge:
    """Judges single rows of a batch by one condition."""

    def __init__(self, params: RowRuleParams) -> None:
        self.params = params
        self._rule = RowRule(params)
        chance = params.max_chance_alerts_per_day
        self._baseline = None if chance is None or params.for_rows == 1 else BaselineHits(params.for_rows, chance)
        self._condition = CONDITIONS[params.condition]
        self._is_judged: BoolArray = np.zeros(0, np.bool_)

    def rows(
        self, rows: RequestRows, failures: IntArray, time_ns: IntArray, keys: tuple[SeriesKey, ...]
    ) -> list[RowTransition]:
        """Transitions within these rows, of the series `keys`; `failures` are the `failure_codes` of the rows."""
        cause = failures if self._of_failures else rows.status_code
        return self._rule.rows(rows.series, self._hits(rows, keys), cause, time_ns)

    @property
    def is_watching(self) -> bool:
        """Whether a series is in a run of hits, or has an alert."""
        return self._rule.is_watching

    @property
    def _of_failures(self) -> bool:
        return self.params.condition == "failed"

    def _hits(self, rows: RequestRows, keys: tuple[SeriesKey, ...]) -> BoolArray:
        hit, origin = self._condition(rows), self.params.origin
        if origin is None or not hit.any():
            return hit
        if len(keys) > len(self._is_judged):
            fresh = [key.origin == origin for key in keys[len(self._is_judged) :]]
            self._is_judged = np.append(self._is_judged, np.array(fresh, np.bool_))
        of_origin: BoolArray = hit & self._is_judged[rows.series]
        return of_origin

    def tick(self, end_ns: int, totals: Totals | None = None, pace: Pace | None = None) -> list[Transition]:
        """Transitions at the end of a window, whose totals say how often the series are hit."""
        transitions = self._rule.tick(end_ns)
        if self._baseline is not None and pace is not None:
            self._learn(self._baseline, end_ns, self._hits_of(totals), pace)
        return transitions

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._rule.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[Transition]:
        """Transitions because nothing came at all for so long."""
        return self._rule.pass_silence(elapsed_ns, end_ns)

    def close(self, end_ns: int, outcome: str, is_chosen: Callable[[int], bool] | None = None) -> list[Transition]:
        """Transitions that end all episodes, or those of the chosen series."""
        return self._rule.close(end_ns, outcome, is_chosen)

    def _hits_of(self, totals: Totals | None) -> Whole:
        """Hits of each series; a condition has the name of its total."""
        hits: Whole = NOBODY if totals is None else getattr(totals, self.params.condition)
        return hits

    def _learn(self, baseline: BaselineHits, end_ns: int, hits: Whole, pace: Pace) -> None:
        if baseline.is_idle(hits):
            return  # without hits every series needs as many, whatever the pace: what was not looked up may wait
        quiet, firing = self._rule.quiet(), self._rule.firing_since(end_ns)
        if self._rule.is_active:
            quiet = quiet | self._rule.firing_since(end_ns - ACCEPT_NS)
        count = baseline.take(hits, pace, quiet, firing)
        if count is not None:
            self._rule.need(count, partial(baseline.needed, pace))

    def change(self, transition: Transition, key: SeriesKey, row: pa.RecordBatch | None = None) -> AlertChange:
        """The alert change of a transition; `row` is the one row that made it, if a row did."""
        labels = labels_of(self.params.alertname, self.params.severity, ROW_RULE_DETECTOR, key)
        change = replace(
            bare_change(transition, labels),
            threshold=float(self._rule.needed(transition.series)),
            summary=f"{key.target}: {ended(transition)}",
        )
        if row is None or not isinstance(transition, RowTransition):
            return change
        return self._of_row(change, transition, key, row)

    def _of_row(
        self, change: AlertChange, transition: RowTransition, key: SeriesKey, row: pa.RecordBatch
    ) -> AlertChange:
        if not self._of_failures:
            summary = responses_sentence(key, transition.causes, transition.hits)
            return replace(change, value=float(transition.causes[-1]), summary=summary)
        detail, kind = one_line(row["error_detail"][0].as_py()), row["error_type"][0].as_py() or ""
        names = KINDS | {transition.causes[-1]: kind}
        kinds = [names.get(cause, "") for cause in transition.causes]
        duration_seconds = row["duration_seconds"][0].as_py()
        summary = failures_sentence(
            key, kinds, transition.hits, detail, math.nan if duration_seconds is None else duration_seconds
        )
        return replace(change, detail=detail, summary=summary)

"""One rule at work: from feature or rows to alert changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from aiops_nb.alert.fingerprint import fingerprint
from aiops_nb.alert.params import RowRuleParams
from aiops_nb.alert.row_rule import RowRule
from aiops_nb.alert.tick_rule import TickRule, Transition
from aiops_nb.core.readable import readable, readable_name
from aiops_nb.core.types import AlertChange, AlertState, BoolArray, FeatureTable, ScoredFeature, Scores, SeriesKey
from aiops_nb.detect.registry import build_detector
from aiops_nb.features.requests import RequestRows
from aiops_nb.pipeline_params import FeatureRuleParams

ROW_RULE_DETECTOR = "row_rule"
FAILURES = {
    "timeout": "no answer in time (timeout)",
    "dns": "host name not found (dns)",
    "connect": "connection refused or unreachable (connect)",
    "tls": "TLS failed (tls)",
    "reset": "connection broken off (reset)",
    "protocol": "no valid HTTP answer (protocol)",
    "assertion": "answer not as required (assertion)",
}


def labels_of(alertname: str, severity: str, detector: str, key: SeriesKey) -> dict[str, str]:
    """Identity of an alert: never a score or a value."""
    labels = {"alertname": alertname, "severity": severity, "target": key.target, "detector": detector}
    if key.origin:
        labels["origin"] = key.origin
    if key.metric:
        labels["metric"] = key.metric
    return labels


class FeatureJudge:
    """Scores one feature at each tick, decides, then learns."""

    def __init__(self, params: FeatureRuleParams) -> None:
        self.params = params
        self._detector = build_detector(params.detector, params.feature, params.threshold)
        self._rule = TickRule(params.hold)
        self._threshold = params.threshold

    def set_threshold(self, threshold: float) -> None:
        """Use another threshold from the next window on."""
        self._threshold = self._detector.threshold = threshold

    def tick(self, table: FeatureTable) -> tuple[ScoredFeature, list[AlertChange]]:
        """Judge the n series of a closed window."""
        scores = self._detector.score(table)
        count = len(table.series)
        limit = np.where(self._rule.firing(count), self.params.resolves_at(self._threshold), self._threshold)
        hit: BoolArray = scores.score > limit
        self._detector.learn(table, ~hit)
        scored = ScoredFeature(
            detector=self._detector.name,
            alertname=self.params.alertname,
            feature=self.params.feature,
            threshold=self._threshold,
            value=table.column(self.params.feature),
            scores=scores,
            is_anomaly=hit,
        )
        transitions = self._rule.tick(hit, ~np.isnan(scores.score), table.end_ns)
        return scored, [self._change(scored, table.series[t.series], t) for t in transitions]

    def _change(self, scored: ScoredFeature, key: SeriesKey, transition: Transition) -> AlertChange:
        at, scores = transition.series, scored.scores
        labels = labels_of(self.params.alertname, self.params.severity, scored.detector, key)
        value = float(scored.value[at])
        return AlertChange(
            time_ns=transition.time_ns,
            state=transition.state,
            labels=labels,
            fingerprint=fingerprint(labels),
            pending_at_ns=transition.pending_at_ns,
            starts_at_ns=transition.starts_at_ns,
            ends_at_ns=transition.ends_at_ns,
            value=value,
            expected=float(scores.expected[at]),
            lower=float(scores.lower[at]),
            upper=float(scores.upper[at]),
            score=float(scores.score[at]),
            threshold=scored.threshold,
            summary=_band_sentence(key, scored.feature, value, scores, at),
        )


def _band_sentence(key: SeriesKey, feature: str, value: float, scores: Scores, at: int) -> str:
    about = f"{key.target} {key.metric}".strip()
    bounds = (("at least", scores.lower[at]), ("at most", scores.upper[at]))
    limits = [f"{word} {readable(float(bound), feature)}" for word, bound in bounds if bound == bound]
    told = [
        f"{readable_name(feature)} {readable(value, feature)}",
        f"expected {readable(float(scores.expected[at]), feature)}",
    ]
    return f"{about}: {', '.join([*told, *limits])}"


def _answered_5xx(rows: RequestRows) -> BoolArray:
    return rows.status_code >= 500


def _answered_4xx(rows: RequestRows) -> BoolArray:
    return (rows.status_code >= 400) & (rows.status_code < 500)


def _failed(rows: RequestRows) -> BoolArray:
    return rows.failed


CONDITIONS: dict[str, Callable[[RequestRows], BoolArray]] = {
    "status_5xx": _answered_5xx,
    "status_4xx": _answered_4xx,
    "failed": _failed,
}


class RowJudge:
    """Judges single rows of a batch by one condition."""

    def __init__(self, params: RowRuleParams) -> None:
        self.params = params
        self._rule = RowRule(params)
        self._condition = CONDITIONS[params.condition]

    def rows(self, rows: RequestRows, time_ns: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Transition]:
        """Transitions within these rows; `row` is their place."""
        return self._rule.rows(rows.series, self._condition(rows), time_ns)

    def tick(self, end_ns: int) -> list[Transition]:
        """Transitions at the end of a window."""
        return self._rule.tick(end_ns)

    def change(self, transition: Transition, key: SeriesKey, row: pa.RecordBatch | None = None) -> AlertChange:
        """The alert change of a transition; `row` is the one row that made it, if a row did."""
        labels = labels_of(self.params.alertname, self.params.severity, ROW_RULE_DETECTOR, key)
        over = float("nan"), f"{key.target}: {self.params.alertname} is over"
        value, summary = over if row is None else self._told(key, row, transition.state)
        return AlertChange(
            time_ns=transition.time_ns,
            state=transition.state,
            labels=labels,
            fingerprint=fingerprint(labels),
            pending_at_ns=transition.pending_at_ns,
            starts_at_ns=transition.starts_at_ns,
            ends_at_ns=transition.ends_at_ns,
            value=value,
            threshold=float(self.params.for_rows),
            summary=summary,
        )

    def _told(self, key: SeriesKey, row: pa.RecordBatch, state: AlertState) -> tuple[float, str]:
        status, kind = row["status_code"][0].as_py(), row["error_type"][0].as_py()
        repeated = f", {self.params.for_rows} times in a row" if state == "firing" and self.params.for_rows > 1 else ""
        if self.params.condition == "failed":
            return float("nan"), f"{key.target}: {FAILURES.get(kind, kind or 'no answer')}{repeated}"
        return float(status), f"{key.target}: answered {status}{repeated}"

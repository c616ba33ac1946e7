"""Requests by (target, origin): row rules within the batch, features at the end of each window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from operator import itemgetter

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import floats, integers, times_ns
from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, FloatArray, IntArray, SeriesKey, Tick
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.inactive_targets import PROBE, InactiveTargets
from aiops_nb.engine.stages.sources import SeriesSources, source_of
from aiops_nb.engine.stages.stage import AddRows, FeatureJudges
from aiops_nb.features.requests.features import RequestFeatures, request_features
from aiops_nb.features.requests.rows import PHASES, UNKNOWN_EXPIRY, RequestRows
from aiops_nb.features.requests.stretch import ClosedWindows
from aiops_nb.features.requests.totals import Totals
from aiops_nb.features.series import SeriesIndex
from aiops_nb.features.windows import FeatureWindows
from aiops_nb.rules.connectivity import ConnectivityJudge
from aiops_nb.rules.row.chance import Pace
from aiops_nb.rules.row.judge import NOBODY, RowJudge, failure_codes

FIRST_BAD_STATUS = 400  # no condition of a row rule holds below, of a row that did not fail


def _valid(column: pa.Array) -> BoolArray:
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    return np.asarray(column.is_valid())


def _phases(batch: pa.RecordBatch) -> FloatArray | None:
    """Seconds of each phase, (5, rows), NaN where unknown; None if no row knows one."""
    columns = [batch.column(f"{phase}_seconds") for phase in PHASES]
    known = any(column.null_count < len(column) for column in columns)
    return np.stack([floats(column) for column in columns]) if known else None


def _expires(column: pa.Array) -> IntArray | None:
    known = column.null_count < len(column)
    return integers(column.view(pa.int64()), UNKNOWN_EXPIRY) if known else None


def _both(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    if one is None or other is None:
        return other if one is None else one
    both: BoolArray = one & other
    return both


class RequestsStage:
    """Requests: series are (target, origin)."""

    def __init__(self, params: PipelineParams, observed: ObservedTime) -> None:
        window = params.window
        self._observed = observed
        self._sources = SeriesSources()
        self.inactive = InactiveTargets()
        self._index = SeriesIndex(window.max_series)
        self.features = RequestFeatures(window)
        self._names = request_features(window.horizons_seconds)
        self._row_judges = [RowJudge(rule) for rule in params.row_rules]
        self._pace = Pace()
        self._connectivity = ConnectivityJudge(params.connectivity)
        self._judges = FeatureJudges(params.feature_rules, "requests", self._names, no_data=params.no_data)
        self.feature_judges = self._judges.judges
        self.keys: tuple[SeriesKey, ...] = ()
        self._known = 0
        self._span_count: FloatArray = np.zeros(0)
        self._heard: dict[str, int] = {}
        self._span_row = self._names.index("span_count")
        self._ahead: deque[tuple[Tick, list[AlertChange], Totals]] = deque()

    def decode(self, batch: pa.RecordBatch, window: IntArray) -> RequestRows:
        """The columns of a batch, with series codes given in row order."""
        return self._decoded(batch, window, self._index.encode(batch.column("target"), batch.column("origin")))

    def known_series(self, batch: pa.RecordBatch) -> tuple[IntArray, int]:
        """Series of the rows of a batch, and how many rows there are before the first of a new one."""
        series = self._index.known(batch.column("target"), batch.column("origin"))
        new = (series < 0) | (series >= self._known)
        return series, int(np.argmax(new)) if new.any() else len(series)

    def decode_known(self, batch: pa.RecordBatch, window: IntArray, series: IntArray) -> RequestRows:
        """The columns of a batch whose series are known."""
        return self._decoded(batch, window, series)

    def _decoded(self, batch: pa.RecordBatch, window: IntArray, series: IntArray) -> RequestRows:
        return RequestRows(
            window=window,
            series=series,
            status_code=integers(batch.column("status_code"), 0),
            failed=_valid(batch.column("error_type")),
            duration_seconds=floats(batch.column("duration_seconds")),
            phase_seconds=_phases(batch),
            certificate_expires_ns=_expires(batch.column("certificate_expires")),
        )

    @property
    def can_look_ahead(self) -> bool:
        """Whether windows in a row may be closed at once: nothing but their rows decides what they hold."""
        is_plain = self._sources.is_plain and not self.inactive.any and self._judges.can_look_ahead
        return self.features.closes_windows and self._known > 0 and is_plain and not self._ahead

    @property
    def most_windows(self) -> int:
        """How many windows may be closed at once."""
        return self.features.most_windows

    @property
    def known(self) -> int:
        """How many series there are."""
        return self._known

    def close_ahead(
        self, window: int, windows: int, rows: RequestRows, tick_ns: int, sources: Iterable[tuple[str, slice]]
    ) -> ClosedWindows:
        """Close windows in a row with rows of them and of later ones; `close` then gives them one by one.

        The rows are those of `adder_ahead` that come before; `sources` says whose they are.
        """
        for source, part in sources:
            self._sources.note(source, rows.series[part])
        later = rows.window >= window + windows
        if later.any():
            self.features.add(rows.take(later))
            rows = rows.take(~later)
        end_ns = (window + 1) * tick_ns
        values, closed = self.features.close_windows(window, windows, end_ns, tick_ns, rows, self._known)
        features = FeatureWindows("requests", end_ns, tick_ns, self._known_keys(), self._names, values)
        self._observed.mask_windows(features)
        judged = self._judges.tick_windows(features)
        self._ahead.extend((*one, totals) for one, totals in zip(judged, closed.totals.each(), strict=True))
        return closed

    def adder_ahead(self, rows: RequestRows, batch: pa.RecordBatch, any_bad: bool) -> AddRows:
        """What judges parts of a batch whose rows `close_ahead` has taken; `any_bad` as of `are_bad`."""

        def add(part: slice, usable: BoolArray | None) -> list[AlertChange]:
            if not any_bad and not self._connectivity.is_used and self._is_unwatched():
                return []
            return self._judge_rows(rows.take(part), batch[part])

        return add

    @staticmethod
    def are_bad(rows: RequestRows) -> BoolArray:
        """Which rows a condition of a row rule may hold of, (rows,)."""
        bad: BoolArray = rows.failed | (rows.status_code >= FIRST_BAD_STATUS)
        return bad

    def adder(self, rows: RequestRows, batch: pa.RecordBatch) -> AddRows:
        """What adds parts of a decoded batch."""
        return lambda part, usable: self._add(rows.take(part), usable, batch[part])

    def _add(self, rows: RequestRows, usable: BoolArray | None, batch: pa.RecordBatch) -> list[AlertChange]:
        self._known = max(self._known, int(rows.series.max()) + 1)
        self._sources.note(source_of(batch), rows.series)
        usable = _both(usable, self.inactive.used(rows.series, self._known_keys()))
        if usable is not None:
            positions = np.flatnonzero(usable)
            if not len(positions):
                return []
            rows = rows.take(positions)
            batch = batch.take(pa.array(positions))
        self.features.add(rows)
        return self._judge_rows(rows, batch)

    def _judge_rows(self, rows: RequestRows, batch: pa.RecordBatch) -> list[AlertChange]:
        time = times_ns(batch.column("time"))
        keys = self._known_keys()
        connected = self._connectivity.rows(rows, time, keys)
        any_failed = bool(rows.failed.any())
        if not any_failed and rows.status_code.max() < FIRST_BAD_STATUS and self._is_unwatched():
            return [change for _, change in connected]
        failures = failure_codes(batch.column("error_type")) if any_failed else rows.status_code
        found = [(t.row, judge, t) for judge in self._row_judges for t in judge.rows(rows, failures, time, keys)]
        changes = [(row, judge.change(t, keys[t.series], batch.slice(row, 1))) for row, judge, t in found]
        return [change for _, change in sorted([*connected, *changes], key=itemgetter(0))]

    def _is_unwatched(self) -> bool:
        """Whether rows without a hit change nothing: no series is in a run of hits, none has an alert of a row rule."""
        return not any(judge.is_watching for judge in self._row_judges)

    def _known_keys(self) -> tuple[SeriesKey, ...]:
        if len(self.keys) < self._known:
            self.keys = self._index.request_keys(self._known)
        return self.keys

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if self._ahead:
            return self._close_next(end_ns)
        values = self.features.close(window, end_ns, self._known)
        if not self._known:
            return None, []
        self._known_keys()
        self.inactive.write_unknown(window, self.keys, values)
        self._span_count, self._heard = values[self._span_row], {}
        self._observed.mask(end_ns, self._names, values)
        self._sources.mask(self._names, values, end_ns)
        connected = self._connectivity.tick(end_ns)
        moved = self.features.moved
        ended = self._end_rows(end_ns, None if moved is None else moved.entering)
        tick, changes = self._judges.tick(FeatureTable("requests", end_ns, self.keys, self._names, values))
        return tick, connected + ended + changes + self._resolve_gone(end_ns)

    def _resolve_gone(self, end_ns: int) -> list[AlertChange]:
        """Alerts of row rules on series that brought no data for long, if those are to be resolved."""
        gone = self._judges.gone
        if not gone:
            return []
        keys, outcome = self._known_keys(), self._judges.outcome_of_gone
        moved = [(judge, t) for judge in self._row_judges for t in judge.close(end_ns, outcome, self._is_of(gone))]
        return [judge.change(t, keys[t.series]) for judge, t in moved]

    def _is_of(self, chosen: frozenset[SeriesKey]) -> Callable[[int], bool]:
        keys = self._known_keys()
        return lambda place: keys[place] in chosen

    def source_failed(self, source: str) -> None:
        """While a source fails, the silence of its series is no alert: it has one of its own."""
        self._sources.failed(source)

    def source_recovered(self, source: str, time_ns: int) -> None:
        """A source that failed works again."""
        self._sources.recovered(source, time_ns)

    def _close_next(self, end_ns: int) -> tuple[Tick, list[AlertChange]]:
        """The next of the windows that were closed ahead."""
        tick, changes, totals = self._ahead.popleft()
        self._span_count, self._heard = tick.features.values[self._span_row], {}
        connected = self._connectivity.tick(end_ns)
        return tick, connected + self._end_rows(end_ns, totals) + changes

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._connectivity.pass_sleep(slept_ns)
        for judge in self._row_judges:
            judge.pass_sleep(slept_ns)
        self._judges.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        moved = [(judge, t) for judge in self._row_judges for t in judge.pass_silence(elapsed_ns, end_ns)]
        of_rows = [judge.change(t, self.keys[t.series]) for judge, t in moved]
        of_features = self._judges.pass_silence(elapsed_ns, end_ns)
        return [*of_rows, *of_features, *self._resolve_gone(end_ns)]

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts, or those of series that only an ended source has sent."""
        keys = self._known_keys()
        if source is None:
            of_rows = [(judge, t) for judge in self._row_judges for t in judge.close(end_ns, outcome)]
            of_features = self._judges.close(end_ns, outcome)
            connection = self._connectivity.close(end_ns, outcome)
            return [*connection, *(judge.change(t, keys[t.series]) for judge, t in of_rows), *of_features]
        ended = set(np.flatnonzero(self._sources.end(source, len(keys))).tolist())
        of_rows = [(judge, t) for judge in self._row_judges for t in judge.close(end_ns, outcome, ended.__contains__)]
        of_features = self._judges.close(end_ns, outcome, {keys[place] for place in ended}.__contains__)
        return [*(judge.change(t, keys[t.series]) for judge, t in of_rows), *of_features]

    def end_target_alerts(self, end_ns: int, outcome: str, target: str) -> list[AlertChange]:
        """Changes that end the alerts of one probed target."""
        keys = self._known_keys()
        key = SeriesKey(target, origin=PROBE)
        of_rows = [
            judge.change(t, keys[t.series])
            for judge in self._row_judges
            for t in judge.close(end_ns, outcome, lambda place: keys[place] == key)
        ]
        return [*of_rows, *self._judges.close(end_ns, outcome, key.__eq__)]

    def ended_origins(self) -> frozenset[str]:
        """Origins of which every source has ended: their silence is no alert."""
        if not self._sources.any_ended:
            return frozenset()
        ended = self._sources.ended(len(self.keys))
        live = {key.origin for key, gone in zip(self.keys, ended.tolist(), strict=True) if not gone}
        return frozenset({key.origin for key in self.keys} - live)

    def heard(self, origin: str) -> int:
        """Targets of an origin that had a request in the span of the last closed window."""
        if origin not in self._heard:
            of_origin = [key.origin == origin for key in self.keys[: len(self._span_count)]]
            self._heard[origin] = int((self._span_count[of_origin] > 0).sum())
        return self._heard[origin]

    def _end_rows(self, end_ns: int, totals: Totals | None) -> list[AlertChange]:
        """Changes by row rules at the end of a window, whose totals they learn from."""
        self._pace.tick(NOBODY if totals is None else totals.count, end_ns, self._known)
        ended = [(judge, t) for judge in self._row_judges for t in judge.tick(end_ns, totals, self._pace)]
        return [judge.change(t, self.keys[t.series]) for judge, t in ended]

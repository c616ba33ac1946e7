"""Targets that bring no data any more: Grafana's state NoData, once a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.alert.grouping import names
from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import Transition
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.quantities import exact_duration, format_duration
from aiops_nb.core.types import (
    NS_PER_SECOND,
    OTHER,
    AlertChange,
    AlertState,
    BoolArray,
    FeatureTable,
    FloatArray,
    SeriesKey,
    Severity,
)
from aiops_nb.features.windows import FeatureWindows
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.own_host import OwnHost
from aiops_nb.rules.sentences import ended

if TYPE_CHECKING:
    import pandas as pd

NO_DATA = "no_data"
TIMES_LONGEST = 3.0
DATA_AGAIN = "data again"
Policy: TypeAlias = Literal["alerting", "ok", "keep_last"]
PROBE = "probe"


class NoDataParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when a probed target, or a metric that a rule judges, brings no data.

    Attributes
    ----------
    state
        As in Grafana. `nodata`: the target has one alert `no_data` in that state, and its other alerts keep theirs.
        `alerting`: the same alert, in state firing. `ok`: the alerts of the silent series are resolved, and nobody is
        notified of the silence. `keep_last`: nothing changes.
    after_seconds
        Silence of a series, in event time. A series that was silent before, and came back, needs three times its
        longest silence.
    close_after_seconds
        A target without data for so long is closed: its series have ended.
    severity
        Of the alert.

    Raises
    ------
    ConfigError
        If a target would be closed before its alert.
    """

    state: Literal["nodata"] | Policy = "nodata"
    after_seconds: Annotated[float, Meta(gt=0)] = 300.0
    close_after_seconds: Annotated[float, Meta(gt=0)] = 86_400.0
    severity: Severity = "warning"

    def __post_init__(self) -> None:
        if self.close_after_seconds <= self.after_seconds:
            raise ConfigError.at("close_after_seconds", "more than after_seconds", self.close_after_seconds)

    @property
    def alert_state(self) -> AlertState:
        """State of the alert while there is no data."""
        return "nodata" if self.state == "nodata" else "firing"


@dataclass(slots=True)
class _Target:
    """A target that is judged, and its alert while it has no data."""

    key: SeriesKey
    alert: AlertChange | None = None


class NoDataJudge:
    """Finds targets of one table of features without data, from `silent_seconds` of their series.

    One alert a target, however many of its series are silent. Unknown silence (the source has ended or fails, the
    target is paused, the monitor slept) changes nothing. Cost: two passes over the series a tick while none is silent
    for a third of `after_seconds`; memory: 29 bytes a series.

    Parameters
    ----------
    params
        See `NoDataParams`.
    is_judged
        Whether the silence of a series is of interest.
    own_host
        Lowers the severity of alerts on the monitor's own machine; None: there is none in the table.
    """

    def __init__(
        self, params: NoDataParams, is_judged: Callable[[SeriesKey], bool], own_host: OwnHost | None = None
    ) -> None:
        self._params, self._is_judged, self._own_host = params, is_judged, own_host
        self._worth_seconds = params.after_seconds / TIMES_LONGEST
        self._series: tuple[SeriesKey, ...] = ()
        self._targets: list[_Target] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._target_of = np.full(64, -1, np.int64)
        self._born_ns = np.zeros(64, np.int64)
        self._silent, self._longest = np.full(64, np.nan), np.zeros(64)
        self._hit: BoolArray = np.zeros(64, np.bool_)
        self._is_watching = False
        self.gone: frozenset[SeriesKey] = frozenset()

    def tick(self, table: FeatureTable) -> list[AlertChange]:
        """Move on by one window; `gone` are then the series whose alerts are to be resolved."""
        self.gone = frozenset()
        if self._params.state == "keep_last":
            return []
        if len(table.series) > len(self._series):
            self._look_at(table.series, table.end_ns)
        silent = table.column("silent_seconds")
        if not self._is_watching and not (silent >= self._worth_seconds).any():
            self._silent[: len(silent)] = silent
            return []
        return self._judge(silent, table.end_ns)

    @property
    def resolves(self) -> bool:
        """Whether alerts of other rules are to be resolved where a series is silent."""
        return self._params.state == "ok"

    def tick_windows(self, features: FeatureWindows) -> list[list[AlertChange]]:
        """The same of windows in a row, unless it `resolves`; the changes of each window."""
        windows = len(features)
        silent = features.values[:, features.names.index("silent_seconds")]
        is_seen = len(features.series) == len(self._series) and not self._is_watching
        if self._params.state != "keep_last" and is_seen and not (silent >= self._worth_seconds).any():
            self._silent[: len(features.series)] = silent[-1]
            return [[] for _ in range(windows)]
        return [self.tick(features.at(at)) for at in range(windows)]

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Nothing at all came for so long: no window was closed."""
        self.gone = frozenset()
        if self._params.state == "keep_last" or elapsed_ns <= 0 or not self._series:
            return []
        return self._judge(self._silent[: len(self._series)] + elapsed_ns / NS_PER_SECOND, end_ns)

    def close(
        self, end_ns: int, outcome: str, is_chosen: Callable[[SeriesKey], bool] | None = None
    ) -> list[AlertChange]:
        """Changes that end all alerts, or those of targets of which a series is chosen."""
        chosen = [place for place, key in enumerate(self._series) if is_chosen is None or is_chosen(key)]
        self._hit[chosen] = False
        self._silent[chosen] = np.nan
        over = [target for target in self._of(chosen) if target.alert is not None]
        return [self._over(target, end_ns, outcome) for target in over]

    def _look_at(self, series: tuple[SeriesKey, ...], end_ns: int) -> None:
        first, count = len(self._series), len(series)
        capacity = capacity_for(count, len(self._hit))
        if capacity > len(self._hit):
            self._target_of = widened(self._target_of, capacity, -1)
            self._born_ns, self._longest = widened(self._born_ns, capacity), widened(self._longest, capacity)
            self._silent, self._hit = widened(self._silent, capacity, np.nan), widened(self._hit, capacity)
        self._born_ns[first:count] = end_ns
        for place in range(first, count):
            key = series[place]
            if key.target != OTHER and self._is_judged(key):
                self._target_of[place] = self._number_of(key)
        self._series = series

    def _number_of(self, key: SeriesKey) -> int:
        number = self._numbers.setdefault((key.target, key.origin), len(self._targets))
        if number == len(self._targets):
            self._targets.append(_Target(SeriesKey(key.target, origin=key.origin)))
        return number

    def _of(self, series: Iterable[int]) -> list[_Target]:
        found = sorted({number for number in self._target_of[list(series)].tolist() if number >= 0})
        return [self._targets[number] for number in found]

    def _judge(self, silent: FloatArray, end_ns: int) -> list[AlertChange]:
        count, params = len(silent), self._params
        before, longest, hit = self._silent[:count], self._longest[:count], self._hit[:count]
        known = ~np.isnan(silent)
        came = known & (silent == 0)
        learned = came & ~hit & (before > longest)
        longest[learned] = before[learned]
        lived = (end_ns - self._born_ns[:count]) / NS_PER_SECOND - silent
        limit = np.maximum(params.after_seconds, TIMES_LONGEST * longest)
        too_long = (silent >= limit) & (lived >= params.after_seconds) & (self._target_of[:count] >= 0)
        has_ended = silent >= np.maximum(params.close_after_seconds, limit)
        fresh = too_long & ~hit & ~has_ended
        hit[:] = (hit & ~came & ~has_ended) | fresh
        before[known] = silent[known]
        self._is_watching = bool(hit.any() or (before >= self._worth_seconds).any())
        if params.state == "ok":
            self.gone = frozenset(self._series[place] for place in np.flatnonzero(fresh).tolist())
            return []
        return self._changes(fresh, end_ns)

    @property
    def outcome(self) -> str:
        """Why the alerts of series that are gone are over."""
        return f"no data for {exact_duration(self._params.after_seconds)}"

    def _changes(self, fresh: BoolArray, end_ns: int) -> list[AlertChange]:
        silent = {number for number in self._target_of[np.flatnonzero(self._hit)].tolist() if number >= 0}
        over = [one for number, one in enumerate(self._targets) if one.alert is not None and number not in silent]
        made = [self._over(target, end_ns, self._why_over(target)) for target in over]
        begun = [target for target in self._of(np.flatnonzero(fresh).tolist()) if target.alert is None]
        for target in begun:
            target.alert = self._begun(target, end_ns)
        alerts = [target.alert for target in begun if target.alert is not None]
        # all are pending before the first fires: grouping then makes one alert of them
        pending = [replace(alert, state="pending", starts_at_ns=None) for alert in alerts if len(alerts) > 1]
        return [*made, *pending, *alerts]

    def _begun(self, target: _Target, end_ns: int) -> AlertChange:
        places = np.flatnonzero(self._hit & (self._target_of == self._numbers[target.key.target, target.key.origin]))
        seconds = float(self._silent[places].max())
        last_ns = end_ns - round(seconds * NS_PER_SECOND)
        transition = Transition(0, self._params.alert_state, end_ns, last_ns, end_ns)
        metrics = [self._series[place].metric for place in places.tolist() if self._series[place].metric]
        what = f"no data of {names(metrics)}" if metrics else "no data"
        return replace(
            bare_change(transition, self._labels(target.key)),
            value=seconds,
            threshold=self._params.after_seconds,
            summary=f"{target.key.target}: {what} for {format_duration(round(seconds))}",
        )

    def _why_over(self, target: _Target) -> str:
        """Data have come, or the target is given up."""
        number = self._numbers[target.key.target, target.key.origin]
        if (self._silent[self._target_of == number] == 0).any():
            return DATA_AGAIN
        return f"no data for {exact_duration(self._params.close_after_seconds)}"

    def _over(self, target: _Target, end_ns: int, outcome: str) -> AlertChange:
        alert, target.alert = target.alert, None
        assert alert is not None
        transition = Transition(0, "resolved", end_ns, alert.pending_at_ns, alert.starts_at_ns, end_ns)
        came = outcome == DATA_AGAIN
        transition = transition if came else replace(transition, outcome=outcome)
        sentence = f"{DATA_AGAIN}, {ended(transition)}" if came else ended(transition)
        return replace(bare_change(transition, alert.labels), summary=f"{target.key.target}: {sentence}")

    def _labels(self, key: SeriesKey) -> dict[str, str]:
        labels = labels_of(NO_DATA, self._params.severity, NO_DATA, key)
        return labels if self._own_host is None else self._own_host.labels(labels)


def judged_series(rules: Sequence[FeatureRuleParams], table: str) -> Callable[[SeriesKey], bool]:
    """Whose silence is of interest: probed targets, and metrics that a rule judges. Traffic may cease.

    Examples
    --------
    >>> rule = FeatureRuleParams(alertname="a", table="samples", feature="value", metrics=("cpu_ratio",))
    >>> is_judged = judged_series([rule], "samples")
    >>> is_judged(SeriesKey("db", metric="cpu_ratio")), is_judged(SeriesKey("db", metric="connections"))
    (True, False)
    """
    if table == "requests":
        return lambda key: key.origin == PROBE
    metrics = [rule.metrics for rule in rules if rule.table == table]
    if () in metrics:
        return lambda key: True
    wanted = frozenset(metric for several in metrics for metric in several)
    return lambda key: key.metric in wanted


class NoDataEvidence:
    """The last requests of the target before it fell silent."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = requests()
        own: pd.DataFrame = rows[(rows["target"] == alert["target"]) & (rows["origin"] == PROBE)]
        return own

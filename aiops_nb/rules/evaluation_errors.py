"""Sources that fail, and rules that cannot be evaluated: Grafana's state Error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from aiops_nb.alert.identity import bare_change
from aiops_nb.alert.lifecycle import Transition
from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, AlertChange, AlertState, Severity
from aiops_nb.rules.no_data import Policy
from aiops_nb.rules.sentences import ended

if TYPE_CHECKING:
    import pandas as pd

SOURCE_ERROR, RULE_ERROR = "source_error", "rule_error"
EVALUATION_DETECTOR = "evaluation"
MOST_SOURCES = 1_024


class ErrorParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when a source fails, or the detector of a rule raises.

    Attributes
    ----------
    state
        As in Grafana. `error`: one alert in that state, `source_error` a source or `rule_error` a rule; other alerts
        keep theirs, and the silence of a failing source is no alert. `alerting`: the same alert, in state firing. `ok`:
        the alerts of the source or the rule are resolved, and nobody is notified of the failure. `keep_last`: nothing
        changes.
    after_seconds
        How long it must fail. A source is first reported after 10 s of failed polls.
    severity
        Of the alert.
    """

    state: Literal["error"] | Policy = "error"
    after_seconds: Annotated[float, Meta(ge=0)] = 30.0
    severity: Severity = "error"

    @property
    def alert_state(self) -> AlertState:
        """State of the alert while it fails."""
        return "error" if self.state == "error" else "firing"


@dataclass(slots=True)
class _Failure:
    """Something that fails since then."""

    labels: dict[str, str]
    since_ns: int
    reason: str
    is_due: bool = False
    alert: AlertChange | None = None


class EvaluationErrors:
    """Alerts on failing sources and rules; pure: time comes from the recorded clock and the windows.

    Parameters
    ----------
    params
        See `ErrorParams`.

    Examples
    --------
    >>> errors = EvaluationErrors(ErrorParams(after_seconds=30))
    >>> errors.source_failed("redis", 0, "ConnectionRefusedError: Connection refused")
    >>> errors.tick(29 * NS_PER_SECOND), [change.state for change in errors.tick(30 * NS_PER_SECOND)]
    ([], ['error'])
    >>> errors.source_works("redis", 60 * NS_PER_SECOND)[0].summary
    'redis: works again, resolved after 30 s'
    """

    def __init__(self, params: ErrorParams) -> None:
        self._params = params
        self._sources: dict[str, _Failure] = {}
        self._rules: dict[str, _Failure] = {}
        self.gone_sources: list[str] = []
        self.gone_rules: list[str] = []

    @property
    def any(self) -> bool:
        """Whether a source or a rule fails."""
        return bool(self._sources or self._rules)

    def source_failed(self, source: str, since_ns: int, reason: str) -> None:
        """A source fails since then."""
        if source in self._sources or len(self._sources) < MOST_SOURCES:
            labels = self._labels(SOURCE_ERROR, source)
            self._sources.setdefault(source, _Failure(labels, since_ns, f"{source}: fails, {reason}"))

    def source_works(self, source: str, time_ns: int) -> list[AlertChange]:
        """A source brings data again."""
        failure = self._sources.pop(source, None)
        return [] if failure is None else self._over(failure, time_ns, "")

    def rules_now(self, problems: Mapping[str, str], end_ns: int) -> list[AlertChange]:
        """The rules that cannot be evaluated at the end of a window, each with the reason.

        The alerts of `gone_rules` are then to be resolved.
        """
        made: list[AlertChange] = []
        for rule in [one for one in self._rules if one not in problems]:
            made += self._over(self._rules.pop(rule), end_ns, "")
        for rule, problem in problems.items():
            if rule not in self._rules:
                labels = {**self._labels(RULE_ERROR, ALL_TARGETS), "rule": rule}
                reason = f"rule {rule}: cannot be evaluated, {problem}"
                self._rules[rule] = _Failure(labels, end_ns, reason)
        self.gone_rules, begun = self._judged(self._rules, end_ns)
        return made + begun

    def tick(self, time_ns: int) -> list[AlertChange]:
        """The sources that have failed for long enough; the alerts of `gone_sources` are then to be resolved."""
        self.gone_sources, begun = self._judged(self._sources, time_ns)
        return begun

    def _judged(self, failures: Mapping[str, _Failure], time_ns: int) -> tuple[list[str], list[AlertChange]]:
        """Those whose own alerts are to be resolved, and the alerts that begin."""
        due = self._due(failures, time_ns)
        if self._params.state == "ok":
            return due, []
        if self._params.state == "keep_last":
            return [], []
        return [], [self._begun(failures[name], time_ns) for name in due]

    def _due(self, failures: Mapping[str, _Failure], time_ns: int) -> list[str]:
        after_ns = round(self._params.after_seconds * NS_PER_SECOND)
        due = [name for name, one in failures.items() if not one.is_due and time_ns - one.since_ns >= after_ns]
        for name in due:
            failures[name].is_due = True
        return due

    def close(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts, or that of one source."""
        if source is not None:
            failure = self._sources.pop(source, None)
            return [] if failure is None else self._over(failure, end_ns, outcome)
        failures: Iterable[_Failure] = [*self._sources.values(), *self._rules.values()]
        self._sources, self._rules = {}, {}
        return [change for failure in failures for change in self._over(failure, end_ns, outcome)]

    def _labels(self, alertname: str, target: str) -> dict[str, str]:
        severity = self._params.severity
        return {"alertname": alertname, "severity": severity, "target": target, "detector": EVALUATION_DETECTOR}

    def _begun(self, failure: _Failure, time_ns: int) -> AlertChange:
        transition = Transition(0, self._params.alert_state, time_ns, failure.since_ns, time_ns)
        failure.alert = replace(bare_change(transition, failure.labels), summary=failure.reason)
        return failure.alert

    def _over(self, failure: _Failure, time_ns: int, outcome: str) -> list[AlertChange]:
        alert = failure.alert
        if alert is None:
            return []
        end_ns = max(time_ns, alert.time_ns)
        transition = Transition(0, "resolved", end_ns, alert.pending_at_ns, alert.starts_at_ns, end_ns, outcome=outcome)
        sentence = ended(transition) if outcome else f"works again, {ended(transition)}"
        what = f"rule {alert.labels['rule']}" if "rule" in alert.labels else alert.labels["target"]
        return [replace(bare_change(transition, alert.labels), summary=f"{what}: {sentence}")]


class NoRowsEvidence:
    """No rows prove that there are none."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        none: pd.DataFrame = requests().iloc[:0]
        return none

"""The engine: `push(item) -> Step`, a pure function of the stream.

It reads no clock, starts no thread and draws no random number, so that a live run and its replay give the same
features, scores and alerts, byte for byte, however the stream is cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa

from aiops_nb.alert.answers import Answers, HeldAcknowledgement
from aiops_nb.alert.escalation import Escalations
from aiops_nb.alert.flapping import Flapping
from aiops_nb.alert.inhibition import Inhibitor
from aiops_nb.alert.lifecycle import STOPPED
from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.columns import times_ns
from aiops_nb.core.schemas import CLOCK_SOURCE, SELF_SOURCE, TableName
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, BoolArray, IntArray, Item, Step
from aiops_nb.engine.commands import (
    Acknowledge,
    AddTarget,
    Answer,
    Command,
    Comment,
    EndSilence,
    PauseTarget,
    RemoveTarget,
    ResumeTarget,
    SetThreshold,
    Silence,
    SourceEnded,
    SourceFailed,
    SourceRecovered,
    Start,
    Stop,
    Unacknowledge,
    decode_command,
    held,
)
from aiops_nb.engine.look_ahead import MOST_CELLS, MOST_WINDOWS, LookAhead, pieces_of
from aiops_nb.engine.naps import Naps
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.stage import Stage
from aiops_nb.engine.stages.tables import (
    FEWEST_WINDOWS,
    MessageStages,
    RequestStages,
    SampleStages,
    StagesOfTable,
    grouping_of,
)
from aiops_nb.engine.watermark import Watermarks
from aiops_nb.rules.evaluation_errors import EvaluationErrors
from aiops_nb.rules.source_times import Arrivals, SourceJudge

SOURCE_ENDED = "source ended"
SOURCE_FAILED = "source fails"
RULE_FAILED = "rule cannot be evaluated"
TARGET_REMOVED = "target removed"
TARGET_PAUSED = "target paused"
LONGEST_SILENT_JUMP_NS = 30 * NS_PER_SECOND
DEFAULT_START = Start()


@dataclass(slots=True)
class StreamCounters:
    """What happened to the rows; `late_total` and `ahead_total` were recorded but not used."""

    rows_total: int = 0
    late_total: int = 0
    ahead_total: int = 0
    ticks_total: int = 0
    skipped_ticks_total: int = 0


class Pipeline:
    """Windows, features, detectors and alerts over one ordered stream.

    Parameters
    ----------
    params
        Fixed parameters, which no recorded command changes; None takes those of each run's start command (defaults
        before the first).
    expected_sources
        Sources that hold the windows until they speak or go idle.
    trust
        Whether a recorded start may name estimators and detectors of plug-ins, see `require_trust`.

    Examples
    --------
    >>> from aiops_nb.core.schemas import make_batch
    >>> rows = {"time": [0, 1_000_000_000, 9_000_000_000], "origin": "probe", "target": ["a"] * 3}
    >>> batch = make_batch("requests", "demo", rows)
    >>> step = Pipeline().push(Item(0, "requests", "demo", batch))
    >>> [int(tick.features.column("count")[0]) for tick in step.ticks if tick.features.table == "requests"][:3]
    [0, 1, 1]
    """

    def __init__(
        self, params: PipelineParams | None = None, expected_sources: Iterable[str] = (), *, trust: bool = True
    ) -> None:
        self._fixed = params
        self._trust = trust
        self.counters = StreamCounters()
        self._begin(params or PipelineParams(), expected_sources)

    def _begin(self, params: PipelineParams, sources: Iterable[str], start: Start = DEFAULT_START) -> None:
        self.params = params
        self._window, self._tick_ns = params.window, params.window.tick_ns
        self._watermarks = Watermarks(params.window, sources)
        self._inhibitor = Inhibitor(params.all_inhibit_rules, params.connectivity.targets, params.depends_on)
        self._flapping = Flapping(params.flapping)
        self._answers = Answers(params.maintenance, held(start), start.acknowledged)
        self._escalations = Escalations(params.escalations, self._is_acknowledged)
        self._sources = SourceJudge(params.source_rules)
        self._errors = EvaluationErrors(params.errors)
        self._observed = ObservedTime(params.window.span_ticks * params.window.tick_ns)
        self._naps = Naps(params.window.tick_ns)
        requests = RequestStages(params, self._observed, start)
        samples = SampleStages(params, self._observed, start)
        self._grouping = grouping_of(params, requests, samples)
        self._requests, self._objectives = requests.requests, requests.objectives
        self._clients, self._samples = requests.clients, samples.samples
        self._tables: dict[TableName, StagesOfTable] = {
            "requests": requests,
            "samples": samples,
            "messages": MessageStages(params),
        }
        self._fallible = [judge for stage in self._every_stage() for judge in stage.feature_judges if judge.can_fail]
        self._next: int | None = None
        self._newest = 0
        self._ended_sources: list[tuple[int, str]] = []
        self._ended_targets: list[tuple[int, str, str]] = []

    def problems(self) -> dict[str, str]:
        """What rules cannot do now, a sentence by the rule; changes nothing."""
        judges = (judge for stage in self._every_stage() for judge in stage.feature_judges)
        return {f"rule {judge.params.alertname}": problem for judge in judges if (problem := judge.problem)}

    def push(self, item: Item) -> Step:
        """Take one item; returns the windows that it closed and the alerts that changed."""
        step = Step(item)
        if item.table == "control":
            columns = (item.batch.column("kind").to_pylist(), item.batch.column("body").to_pylist())
            for kind, body, time_ns in zip(*columns, times_ns(item.batch.column("time")).tolist(), strict=True):
                self._control(item.source, kind, time_ns, body or "", step)
        elif item.batch.num_rows:
            pieces = self._pieces(item)
            for made in self.push_many(pieces) if len(pieces) > 1 else ():
                step.ticks += made.ticks
                step.changes += made.changes
            if len(pieces) == 1:
                self._rows(item, step)
        return step

    def _pieces(self, item: Item) -> list[Item]:
        """An item that closes very many windows, cut into pieces whose windows can be closed at once."""
        most = self._most_windows() // 2
        if item.table != "requests" or item.batch.num_rows < most or most < FEWEST_WINDOWS or self._next is None:
            return [item]
        return pieces_of(item, most * self._tick_ns)

    def _most_windows(self) -> int:
        return min(MOST_WINDOWS, self._requests.most_windows, MOST_CELLS // max(self._requests.known, 1))

    def push_many(self, items: Sequence[Item]) -> list[Step]:
        """Take items in their order: the steps of `push` one by one, faster where they close many windows."""
        steps: list[Step] = []
        while len(steps) < len(items):
            count = self._look_ahead(items[len(steps) :])
            steps += [self.push(item) for item in items[len(steps) : len(steps) + count]]
        return steps

    def _look_ahead(self, items: Sequence[Item]) -> int:
        """Close at once the windows that the next items close, if that may be; how many items it is about."""
        stages, next_window = self._tables["requests"], self._next
        assert isinstance(stages, RequestStages)
        most = self._most_windows()
        is_plain = self._observed.is_settled and not (self._naps.any or self._fallible or self._errors.any)
        is_plain = is_plain and not (self._ended_sources or self._ended_targets)
        if next_window is None or most < FEWEST_WINDOWS or not is_plain or not self._requests.can_look_ahead:
            return 1
        state = self._window, self._watermarks, self._observed, next_window, self._newest
        return stages.close_ahead(items, LookAhead(*state).over(items, most), next_window, self._tick_ns)

    def _control(self, source: str, kind: str, time_ns: int, body: str, step: Step) -> None:
        if kind == "heartbeat":
            if source == CLOCK_SOURCE and (slept_ns := self._observed.after_clock(time_ns)):
                self._watermarks.woke(slept_ns)
                self._naps.add(time_ns - slept_ns, time_ns)
            self._close_until(self._watermarks.after_heartbeat(source, time_ns) // self._tick_ns, step)
            if source == CLOCK_SOURCE:
                self._judge_sources(time_ns, step)
        elif kind == "command":
            command = decode_command(body, trust=self._trust)
            if isinstance(command, Answer):
                step.changes += self._answered(command, time_ns)
            else:
                self._obey(command, time_ns, step)

    def _obey(self, command: Command, time_ns: int, step: Step) -> None:
        match command:
            case Start() if self._resumes(command):
                self._end_alerts(step)
                self._resume(command)
            case Start():
                self._end_alerts(step)  # those of a run that ended without a stop
                self._begin(self._fixed or command.pipeline, command.sources, command)
            case SetThreshold():
                if self._fixed is None:
                    self._set_threshold(command)
            case SourceEnded() | SourceFailed() | SourceRecovered():
                self._source_moved(command, time_ns, step)
            case RemoveTarget():
                self._end_target(command.target, TARGET_REMOVED)
            case PauseTarget():
                self._end_target(command.target, TARGET_PAUSED)
            case AddTarget() | ResumeTarget():
                self._requests.inactive.resume(command.target)
            case Stop():
                self._ended_sources.clear()
                self._ended_targets.clear()
                self._close_until(self._newest + 1, step)
                self._end_alerts(step)

    def _source_moved(self, command: SourceEnded | SourceFailed | SourceRecovered, time_ns: int, step: Step) -> None:
        match command:
            case SourceEnded():
                self._watermarks.forget(command.source)
                self._samples.source_ended(command.source)
                self._ended_sources.append((self._newest, command.source))
            case SourceFailed():
                self._errors.source_failed(command.source, command.since_ns, command.reason)
                for stage in (self._requests, self._samples):
                    stage.source_failed(command.source)
            case SourceRecovered():
                step.changes += self._ordered(self._errors.source_works(command.source, time_ns))
                for stage in (self._requests, self._samples):
                    stage.source_recovered(command.source, time_ns)

    def _judge_sources(self, time_ns: int, step: Step) -> None:
        """Sources that have failed for long enough, by the recorded clock."""
        step.changes += self._ordered(self._errors.tick(time_ns))
        for source in self._errors.gone_sources:
            for stage in self._every_stage():
                step.changes += self._ordered(stage.end_alerts(time_ns, SOURCE_FAILED, source))

    def _judge_rules(self, end_ns: int, step: Step) -> None:
        """Rules that could not be evaluated for long enough, by the windows."""
        problems = {judge.params.alertname: judge.problem for judge in self._fallible if judge.problem}
        step.changes += self._ordered(self._errors.rules_now(problems, end_ns))
        for judge in self._fallible if self._errors.gone_rules else ():
            if judge.params.alertname in self._errors.gone_rules:
                step.changes += self._ordered(judge.close(end_ns, RULE_FAILED))

    def _answered(self, command: Answer, time_ns: int) -> list[AlertChange]:
        """What an answer to alerts changes."""
        answers = self._answers
        match command:
            case Acknowledge():
                return answers.acknowledge(command.fingerprint, time_ns, command.author, command.note)
            case Unacknowledge():
                return answers.unacknowledge(command.fingerprint, time_ns)
            case Comment():
                return answers.comment(command.fingerprint, time_ns, command.text)
            case Silence():
                return answers.silence(command.from_moment(time_ns), time_ns)
            case EndSilence():
                return answers.end_silence(command.id, time_ns, command.author)

    def silences(self) -> tuple[HeldSilence, ...]:
        """All silences of the stream, those that are over too."""
        return tuple(self._answers.silences.by_id.values())

    def acknowledgements(self) -> tuple[HeldAcknowledgement, ...]:
        """Those of alerts that are active, or that only the end of the run ended."""
        return self._answers.acknowledgements()

    def _end_alerts(self, step: Step) -> None:
        """Monitoring stops: nothing is known of what still fires, and nobody would ever resolve it."""
        if self._next is None:
            step.changes += self._ordered(self._errors.close(0, STOPPED))  # of sources that never brought a row
            return
        end_ns = max(self._next, self._newest + 1) * self._tick_ns
        for stage in self._every_stage():
            step.changes += self._ordered(stage.end_alerts(end_ns, STOPPED))
        step.changes += self._ordered(self._sources.close(end_ns, STOPPED))
        step.changes += self._ordered(self._errors.close(end_ns, STOPPED))
        step.changes += self._passed_on(self._flapping.close(end_ns, STOPPED))

    def _end_with_sources(self, window: int, step: Step) -> None:
        """Alerts of a source that has ended end with the last window that has rows of it."""
        end_ns = (window + 1) * self._tick_ns
        for _, source in (one for one in self._ended_sources if one[0] <= window):
            for stage in self._every_stage():
                step.changes += self._ordered(stage.end_alerts(end_ns, SOURCE_ENDED, source))
            step.changes += self._ordered(self._sources.close(end_ns, SOURCE_ENDED, source))
            step.changes += self._ordered(self._errors.close(end_ns, SOURCE_ENDED, source))
        self._ended_sources = [one for one in self._ended_sources if one[0] > window]

    def _end_target(self, target: str, outcome: str) -> None:
        self._requests.inactive.end(target, self._newest)
        self._ended_targets.append((self._newest, target, outcome))

    def _end_with_targets(self, window: int, step: Step) -> None:
        """Alerts of a target that is paused or removed end with the last window that has rows of it."""
        end_ns = (window + 1) * self._tick_ns
        for _, target, outcome in (one for one in self._ended_targets if one[0] <= window):
            for stage in (self._requests, self._objectives):
                step.changes += self._ordered(stage.end_target_alerts(end_ns, outcome, target))
        self._ended_targets = [one for one in self._ended_targets if one[0] > window]

    def _resumes(self, command: Start) -> bool:
        return command.resume and self._next is not None and (self._fixed or command.pipeline) == self.params

    def _resume(self, command: Start) -> None:
        """What was learned stays; the time between the runs passes as if the monitor had slept."""
        self._watermarks = Watermarks(self._window, command.sources)
        self._answers = Answers(self.params.maintenance, held(command), command.acknowledged)
        for rule, threshold in self.params.thresholds.items():
            self._set_threshold(SetThreshold(alertname=rule, threshold=threshold))

    def _set_threshold(self, command: SetThreshold) -> None:
        self._clients.set_threshold(command.alertname, command.threshold)
        for judge in (judge for stage in self._every_stage() for judge in stage.feature_judges):
            if judge.params.alertname == command.alertname:
                judge.set_threshold(command.threshold)

    def _every_stage(self) -> Iterator[Stage]:
        return chain.from_iterable(table.stages for table in self._tables.values())

    def _rows(self, item: Item, step: Step) -> None:
        batch, time = item.batch, times_ns(item.batch.column("time"))
        self.counters.rows_total += len(time)
        whole, ahead = time, self._watermarks.too_far_ahead(time)
        if ahead is not None:
            self.counters.ahead_total += int(ahead.sum())
            used = np.flatnonzero(~ahead)
            batch, time = batch.take(pa.array(used)), time[used]
        if item.source == SELF_SOURCE:
            self._rows_about_ourselves(item, batch, time, step)
            return
        arrivals = self._arrivals(item.source, whole, ahead)
        if not len(time):
            return
        closed = self._watermarks.after_rows(item.source, time) // self._tick_ns
        if self._next is None:
            self._start_windows(int(time[0]))
        self._cut(item.table, batch, time, closed, arrivals, step)

    def _arrivals(self, source: str, time: IntArray, unused: BoolArray | None) -> Arrivals:
        future_ns = self._watermarks.ahead_of_clock_ns(time, self._sources.future_ns)
        return Arrivals(partial(self._sources.add, source), unused, future_ns)

    def _rows_about_ourselves(self, item: Item, batch: pa.RecordBatch, time: IntArray, step: Step) -> None:
        """They begin no window and close none; those outside of what is surely closed later are only recorded."""
        window = time // self._tick_ns
        if self._next is None or not len(time):
            return
        usable = np.flatnonzero((window >= self._next) & (window <= self._newest + self._window.gap_ticks))
        if not len(usable):
            return
        # Only these rows are decoded: a row that is not used begins no series, wherever the batch was cut.
        batch, window = batch.take(pa.array(usable)), window[usable]
        for add in self._tables[item.table].decode(batch, window) if item.table in self._tables else ():
            step.changes += add(slice(0, len(window)), None)

    def _start_windows(self, first_time_ns: int) -> None:
        self._next = (first_time_ns - self._window.lateness_ns) // self._tick_ns
        self._newest = self._next - 1

    def _cut(
        self, table: TableName, batch: pa.RecordBatch, time: IntArray, closed: IntArray, arrivals: Arrivals, step: Step
    ) -> None:
        window = time // self._tick_ns
        adders = self._tables[table].decode(batch, window) if table in self._tables else []
        for first, last in pairwise([0, *self._rises(closed), len(window)]):
            self._close_until(int(closed[first]), step)  # the row that moves the watermark belongs after the closing
            self._naps.note_rows(table, time[first:last])
            usable = self._usable(window[first:last])
            opens_ns = (self._next or 0) * self._tick_ns
            arrivals.take(first, last, None if usable is None else opens_ns - time[first:last][~usable])
            if table == "requests":
                self._observed.add(last - first, 0 if usable is None else int((~usable).sum()))
            for add in adders:
                step.changes += self._ordered(add(slice(first, last), usable))

    def _rises(self, closed: IntArray) -> list[int]:
        """Rows but the first before which windows close; `closed` never falls."""
        if closed[0] == closed[-1]:
            return []
        rises = np.flatnonzero(closed[1:] > closed[:-1]) + 1
        before: list[int] = rises[closed[rises] > (self._next or 0)].tolist()
        return before

    def _ordered(self, changes: list[AlertChange]) -> list[AlertChange]:
        return self._passed_on(self._flapping.apply(changes)) if changes else []

    def _passed_on(self, changes: list[AlertChange]) -> list[AlertChange]:
        return self._marked(self._inhibitor.apply(self._grouping.apply(changes))) if changes else []

    def _marked(self, changes: list[AlertChange]) -> list[AlertChange]:
        return self._answers.apply(self._escalations.apply(changes)) if changes else []

    def _is_acknowledged(self, fingerprint: str) -> bool:
        return self._answers.is_acknowledged(fingerprint)

    def _end_of_window(self, end_ns: int) -> list[AlertChange]:
        """Alerts that are calm, that something no longer inhibits, or that a silence begins or ceases to cover."""
        calm = self._passed_on(self._flapping.tick(end_ns))
        released = self._marked(self._inhibitor.tick(end_ns))
        risen = self._answers.apply(self._escalations.tick(end_ns))
        return [*calm, *released, *risen, *self._answers.tick(end_ns)]

    def _usable(self, window: IntArray) -> BoolArray | None:
        self._newest = max(self._newest, int(window.max()))
        late: BoolArray = window < (self._next or 0)
        if not late.any():
            return None
        self.counters.late_total += int(late.sum())
        usable: BoolArray = ~late
        return usable

    def _close_until(self, end: int, step: Step) -> None:
        """Close the windows before `end`: those with rows, then a bounded number of empty ones; jump over the rest.

        Time slept in them counts neither for a condition nor as time without data.
        """
        if self._next is None or end <= self._next:
            return
        gap_ticks = max(self._window.gap_ticks, self._window.span_ticks)
        last = min(end, max(self._newest + 1, self._next) + gap_ticks)
        for window in range(self._next, last):
            self._pass_sleep(window, window + 1)
            self._close(window, step)
        self._next = end
        if last < end:
            self._jump(last, end, step)
        if self._naps.any:
            self._naps.forget_before(end)

    def _jump(self, first: int, end: int, step: Step) -> None:
        """Jump over windows.

        One window or half a minute of being awake is time that passed without data; more says nothing.
        """
        self.counters.skipped_ticks_total += end - first
        self._pass_sleep(first, end)
        silent_ns = self._naps.slept_ns(first, end)  # which `pass_sleep` has taken off in advance
        awake_ns = (end - first) * self._tick_ns - silent_ns
        if awake_ns <= max(LONGEST_SILENT_JUMP_NS, self._tick_ns):
            silent_ns += awake_ns
        if silent_ns:
            self._pass_silence(silent_ns, end * self._tick_ns, step)

    def _pass_sleep(self, first: int, end: int) -> None:
        """Some of the windows that are about to pass may have been slept in."""
        if not self._naps.any:
            return
        for name, table in self._tables.items():
            if slept_ns := self._naps.slept_ns(first, end, name):
                for stage in table.stages:
                    stage.pass_sleep(slept_ns)
        if slept_ns := self._naps.slept_ns(first, end):
            for one in (self._sources, self._inhibitor, self._flapping, self._escalations):
                one.pass_sleep(slept_ns)

    def _pass_silence(self, elapsed_ns: int, end_ns: int, step: Step) -> None:
        for stage in self._every_stage():
            step.changes += self._ordered(stage.pass_silence(elapsed_ns, end_ns))
        step.changes += self._ordered(self._sources.pass_silence(elapsed_ns, end_ns))
        step.changes += self._end_of_window(end_ns)

    def _close(self, window: int, step: Step) -> None:
        self.counters.ticks_total += 1
        end_ns = (window + 1) * self._tick_ns
        self._observed.close(end_ns)
        for stage in self._every_stage():
            tick, changes = stage.close(window, end_ns)
            if tick is not None:
                step.ticks.append(tick)
            step.changes += self._ordered(changes)
        step.changes += self._ordered(self._sources.tick(end_ns))
        if self._fallible:
            self._judge_rules(end_ns, step)
        step.changes += self._end_of_window(end_ns)
        if self._ended_sources:
            self._end_with_sources(window, step)
        if self._ended_targets:
            self._end_with_targets(window, step)

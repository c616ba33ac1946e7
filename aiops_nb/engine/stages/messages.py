"""Messages by target: templates of each log, and the rules on messages."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.columns import times_ns
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, BoolArray, IntArray, Tick
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.stages.sources import source_of
from aiops_nb.engine.stages.stage import AddRows
from aiops_nb.features.messages.miner import TemplateMiner
from aiops_nb.features.series import Interner
from aiops_nb.rules.feature.judge import FeatureJudge
from aiops_nb.rules.message.judge import MessageJudge, MessageRows

MOST_TARGETS = 1_000


@dataclass(slots=True)
class _Log:
    """One source: its templates, and since when it is heard."""

    begun_ns: int
    miner: TemplateMiner = field(default_factory=TemplateMiner)


class MessagesStage:
    """Messages: series are targets; templates are those of their source."""

    def __init__(self, params: PipelineParams) -> None:
        self.feature_judges: list[FeatureJudge] = []
        rules = params.message_rules
        self._judges = [MessageJudge(rule, place) for place, rule in enumerate(rules)]
        self._settle = [(round(rule.settle_seconds * NS_PER_SECOND), rule.settle_rows) for rule in rules]
        self._mines = any(rule.condition == "new_template" for rule in rules)
        self._targets = Interner(MOST_TARGETS)
        self._sources: dict[int, set[str]] = {}
        self._logs: dict[str, _Log] = {}

    def adder(self, batch: pa.RecordBatch, window: IntArray) -> AddRows:
        """Decode a batch once, giving series codes in row order; the result adds parts of it."""
        source = source_of(batch)
        series = self._targets.encode(batch.column("target"))
        text = pc.fill_null(batch.column("text"), "")
        is_new = self._new_rows(source, text, times_ns(batch.column("time")))
        rows = MessageRows(window, series, batch.column("severity"), text, is_new)
        return lambda part, usable: self._add(rows.take(part), source, usable)

    def _new_rows(self, source: str, text: pa.StringArray, time_ns: IntArray) -> tuple[BoolArray, ...]:
        """By rule, the first row of each template that its log has not had, merged ones apart, once it has settled."""
        never = np.zeros(len(time_ns), np.bool_)
        if not self._mines:
            return tuple(never for _ in self._judges)
        log = self._logs.setdefault(source, _Log(int(time_ns[0])))
        before, merges, lines = len(log.miner.templates), len(log.miner.merges), log.miner.lines_total
        numbers = log.miner.add(text)
        of_merge = {merge.into for merge in log.miner.merges[merges:]}
        first = never.copy()
        for number in range(before, len(log.miner.templates)):
            rows = np.flatnonzero(numbers == number)
            if len(rows) and number not in of_merge:
                first[rows[0]] = True
        if not first.any():
            return tuple(never for _ in self._judges)
        heard_ns, place = time_ns - log.begun_ns, lines + np.arange(len(time_ns))
        return tuple(first & (heard_ns >= settle_ns) & (place >= rows) for settle_ns, rows in self._settle)

    def _add(self, rows: MessageRows, source: str, usable: BoolArray | None) -> list[AlertChange]:
        for series in np.unique(rows.series).tolist():
            self._sources.setdefault(series, set()).add(source)
        rows = rows if usable is None else rows.take(usable)
        if len(rows.window):
            for judge in self._judges:
                judge.add(rows, self._targets.names)
        return []

    def close(self, window: int, end_ns: int) -> tuple[Tick | None, list[AlertChange]]:
        """Close the next window."""
        if not self._sources:
            return None, []
        names = self._targets.names
        return None, [change for judge in self._judges for change in judge.close(window, end_ns, names)]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for judge in self._judges:
            judge.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        names = self._targets.names
        return [change for judge in self._judges for change in judge.pass_silence(elapsed_ns, end_ns, names)]

    def end_alerts(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all alerts, or those of series that only an ended source has sent."""

        def is_chosen(series: int) -> bool:
            return source is None or self._sources.get(series) == {source}

        names = self._targets.names
        return [change for judge in self._judges for change in judge.end(end_ns, outcome, names, is_chosen)]

"""Judges the messages of each target by one rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import TickRule, Transition
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.growing import widened
from aiops_nb.core.quantities import format_share
from aiops_nb.core.types import AlertChange, BoolArray, IntArray, SeriesKey
from aiops_nb.rules.message.params import MessageRuleParams
from aiops_nb.rules.sentences import ended

MESSAGE_RULE_DETECTOR = "message_rule"
MOST_SHOWN = 200  # characters of a message in a sentence
ERRORS = ("error", "critical")
_WHAT = {"new_template": "new in this log", "text": "matching", "error_ratio": "errors"}


@dataclass(frozen=True, slots=True)
class MessageRows:
    """Columns of messages, (rows,) each; `is_new` marks the first message of a template, after its log has settled."""

    window: IntArray
    series: IntArray
    severity: pa.DictionaryArray
    text: pa.StringArray
    is_new: tuple[BoolArray, ...]

    def take(self, rows: slice | BoolArray) -> MessageRows:
        """A part of the rows."""
        at = np.arange(len(self.window))[rows]
        chosen = pa.array(at)
        is_new = tuple(one[at] for one in self.is_new)
        return MessageRows(self.window[at], self.series[at], self.severity.take(chosen), self.text.take(chosen), is_new)


@dataclass(slots=True)
class _Open:
    """Counts of one window by series; `example` is the first message that counts."""

    hits: IntArray = field(default_factory=lambda: np.zeros(16, np.int64))
    rows: IntArray = field(default_factory=lambda: np.zeros(16, np.int64))
    example: dict[int, str] = field(default_factory=dict)

    def add(self, series: IntArray, hit: BoolArray, counts: BoolArray, texts: pa.StringArray) -> None:
        capacity = max(int(series.max()) + 1, len(self.hits))
        self.hits = widened(self.hits, capacity) + np.bincount(series[hit], minlength=capacity)
        self.rows = widened(self.rows, capacity) + np.bincount(series[counts], minlength=capacity)
        for at in np.flatnonzero(hit).tolist():
            if len(self.example) >= len(self.hits):
                break
            if int(series[at]) not in self.example:
                self.example[int(series[at])] = shown(texts[at].as_py() or "")


def shown(text: str) -> str:
    r"""The first line of a message in a sentence: printable, bounded.

    Examples
    --------
    >>> shown("no route\x1b[2J\n  at x")
    'no route [2J'
    """
    first = text.split("\n", 1)[0]
    clear = "".join(letter if letter.isprintable() else " " for letter in first[: MOST_SHOWN + 1]).strip()
    return clear if len(clear) <= MOST_SHOWN else f"{clear[: MOST_SHOWN - 1]}…"


class MessageJudge:
    """One rule over all targets.

    Parameters
    ----------
    params
        The rule.
    place
        Which of the columns `is_new` is its own.

    Raises
    ------
    ConfigError
        If a pattern is not valid.
    """

    def __init__(self, params: MessageRuleParams, place: int = 0) -> None:
        self.params = params
        self._place = place
        self._rule = TickRule(params.hold)
        self._open: dict[int, _Open] = {}
        self._closed: deque[_Open] = deque(maxlen=params.span_ticks)
        self._seen: dict[int, str] = {}
        for name in ("pattern", "unless"):
            _check(getattr(params, name), f"{params.alertname}.{name}")

    def add(self, rows: MessageRows, targets: list[str]) -> None:
        """Take rows of open windows; `targets` are the names by series."""
        hit, counts = self._verdicts(rows)
        wanted = self.params.targets
        if wanted:
            of_target = np.array([name in wanted for name in targets], np.bool_)[rows.series]
            hit, counts = hit & of_target, counts & of_target
        for window in np.unique(rows.window).tolist():
            own = rows.window == window
            texts = rows.text.filter(pa.array(own))
            self._open.setdefault(window, _Open()).add(rows.series[own], hit[own], counts[own], texts)

    def _verdicts(self, rows: MessageRows) -> tuple[BoolArray, BoolArray]:
        """Which rows count, and of which they are a share."""
        every = np.ones(len(rows.window), np.bool_)
        if self.params.condition == "new_template":
            return rows.is_new[self._place], every
        if self.params.condition == "text":
            found = _matches(rows.text, self.params.pattern)
            return (found & ~_matches(rows.text, self.params.unless) if self.params.unless else found), every
        severity = pc.cast(rows.severity, pa.string())
        known: BoolArray = severity.is_valid().to_numpy(zero_copy_only=False)
        hit = pc.fill_null(pc.is_in(severity, pa.array(ERRORS)), False).to_numpy(zero_copy_only=False)
        return hit, known

    def close(self, window: int, end_ns: int, targets: list[str]) -> list[AlertChange]:
        """Close the next window."""
        self._closed.append(self._open.pop(window, _Open()))
        count = len(targets)
        hits, rows = self._sums(count)
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = hits >= np.maximum(self.params.min_ratio * rows, self.params.min_rows)
        self._seen.update(self._closed[-1].example)
        known = rows > 0 if self.params.condition == "error_ratio" else np.ones(count, np.bool_)
        made = self._rule.tick(enough, known, end_ns)
        return [self._change(one, targets, hits, rows) for one in made]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._rule.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int, targets: list[str]) -> list[AlertChange]:
        """Changes because nothing at all came for so long."""
        hits, rows = self._sums(len(targets))
        return [self._change(one, targets, hits, rows) for one in self._rule.pass_silence(elapsed_ns, end_ns)]

    def end(
        self, end_ns: int, outcome: str, targets: list[str], is_chosen: Callable[[int], bool] | None
    ) -> list[AlertChange]:
        """Changes that end all episodes, or those of the chosen series."""
        hits, rows = self._sums(len(targets))
        return [self._change(one, targets, hits, rows) for one in self._rule.close(end_ns, outcome, is_chosen)]

    def _sums(self, count: int) -> tuple[IntArray, IntArray]:
        hits, rows = np.zeros(count, np.int64), np.zeros(count, np.int64)
        for one in self._closed:
            known = min(count, len(one.hits))
            hits[:known] += one.hits[:known]
            rows[:known] += one.rows[:known]
        return hits, rows

    def _change(self, transition: Transition, targets: list[str], hits: IntArray, rows: IntArray) -> AlertChange:
        target, at = targets[transition.series], transition.series
        labels = labels_of(self.params.alertname, self.params.severity, MESSAGE_RULE_DETECTOR, SeriesKey(target))
        ratio = self.params.condition == "error_ratio"
        value = float(hits[at]) / max(int(rows[at]), 1) if ratio else float(hits[at])
        example = self._seen.get(at, "")
        over = ended(transition)
        amount = f"{format_share(value)} of {rows[at]:,} messages" if ratio else f"{hits[at]:,} messages"
        amount = amount.removesuffix("s") if not ratio and hits[at] == 1 else amount
        what = f"{amount} {_WHAT[self.params.condition]}: {example}"
        return replace(
            bare_change(transition, labels),
            value=value,
            threshold=self.params.min_ratio if ratio else float(self.params.min_rows),
            summary=f"{target}: {over or what}",
            detail="" if over else example,
        )


def _matches(texts: pa.StringArray, pattern: str) -> BoolArray:
    found: BoolArray = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found


def _check(pattern: str, where: str) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as problem:
        raise ConfigError.at(where, "a regular expression (RE2)", f"{pattern} ({problem})") from None

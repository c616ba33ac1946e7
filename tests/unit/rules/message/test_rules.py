"""Rules on messages, through the pipeline: they fire, they resolve, they are the same for any cut."""

from __future__ import annotations

import random

import pytest

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import AlertChange, Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.rules.message.params import MessageRuleParams

S = 1_000_000_000
T0 = 1_780_000_000 * S
Row = tuple[float, str, str | None]
HOLD = HoldParams(for_seconds=0.0, keep_firing_for_seconds=5.0)


def items(rows: list[Row], cuts: list[int], target: str = "app") -> list[Item]:
    """Batches of these rows."""
    made = []
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        part = rows[begin:end]
        columns = {"time": [T0 + round(at * S) for at, _, _ in part], "target": [target] * len(part)}
        columns |= {"severity": [severity for _, _, severity in part], "text": [text for _, text, _ in part]}
        made.append(Item(begin, "messages", "log", make_batch("messages", "log", columns)))
    return made


def changes(rows: list[Row], *rules: MessageRuleParams, cuts: list[int] | None = None) -> list[AlertChange]:
    """All changes of alerts."""
    pipeline = Pipeline(PipelineParams(message_rules=rules, flapping=None))
    return [change for item in items(rows, cuts or []) for change in pipeline.push(item).changes]


def states(made: list[AlertChange]) -> list[tuple[str, str]]:
    """State and summary."""
    return [(one.state, one.summary) for one in made if one.state != "pending"]


def steady(seconds: int, begin: int = 0) -> list[Row]:
    """Ten messages a second of two templates."""
    return [(begin + i / 10, f"took {i} ms" if i % 2 else f"user u{i} in", "info") for i in range(seconds * 10)]


NEW = MessageRuleParams(alertname="new", condition="new_template", settle_seconds=20.0, settle_rows=100, hold=HOLD)
TEXT = MessageRuleParams(alertname="oom", condition="text", pattern="(?i)out of memory", unless="drill", hold=HOLD)
RATIO = MessageRuleParams(
    alertname="errors", condition="error_ratio", min_rows=5, min_ratio=0.5, span_ticks=5, hold=HOLD
)


def test_a_new_template_fires_once_the_log_has_settled() -> None:
    """Neither the first templates of a log nor a known one with other numbers: a message that never was."""
    rows = [*steady(30), (30.0, "disk sda1 failed", None), *steady(20, 31)]
    made = states(changes(rows, NEW))
    assert made == [
        ("firing", "app: 1 message new in this log: disk sda1 failed"),
        ("resolved", "app: resolved after 6 s"),
    ]


def test_a_log_that_is_new_fires_nothing() -> None:
    """A hundred templates while it settles."""
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    rows: list[Row] = [
        (i / 10, f"{a} {b} began", None) for i, (a, b) in enumerate((a, b) for a in names for b in names)
    ]
    assert changes(rows, NEW) == []
    assert changes([*rows, *steady(10, 11)], *PipelineParams().message_rules) == []


def test_variants_that_merge_are_no_new_template() -> None:
    """The word that makes a position a parameter is of a template that was known."""
    variants: list[Row] = [(i, f"session closed for user {name}", None) for i, name in enumerate(["ann", "bob"])]
    rows = [*variants, *[(2 + at, text, severity) for at, text, severity in steady(30)]]
    rows += [(33.0, "session closed for user eve", None), (34.0, "session closed for user joe", None), *steady(5, 35)]
    assert changes(rows, NEW) == []


def test_a_text_fires_unless_it_is_allowed() -> None:
    """The pattern to look for, and the one that excuses; the message is the detail."""
    rows = [*steady(3), (3.0, "drill: out of memory", None), (4.0, "Out of MEMORY: killed 7", None), *steady(12, 5)]
    made = changes(rows, TEXT)
    assert states(made) == [
        ("firing", "app: 1 message matching: Out of MEMORY: killed 7"),
        ("resolved", "app: resolved after 6 s"),
    ]
    assert made[0].detail == "Out of MEMORY: killed 7" and made[0].labels["detector"] == "message_rule"


def test_a_rule_of_other_targets_is_silent() -> None:
    """Only messages of the named targets count."""
    rows: list[Row] = [(1.0, "out of memory", None), *steady(5, 2)]
    other = MessageRuleParams(alertname="oom", condition="text", pattern="out of memory", targets=("shop",))
    assert changes(rows, other) == []


def test_a_share_of_errors_fires() -> None:
    """Messages without a severity are not in the share; the alert ends when others are the most."""
    rows: list[Row] = [(i / 5, f"request {i}", "error" if 50 <= i < 100 else "info") for i in range(200)]
    rows += [(i / 5 + 0.1, "no severity", None) for i in range(200)]
    made = states(changes(sorted(rows), RATIO))
    assert [state for state, _ in made] == ["firing", "resolved"]
    assert "of 25 messages errors: request" in made[0][1]


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_gives_the_same(seed: int) -> None:
    """Bytes of all steps of single rows, random batches and one batch; late rows and far ones among them."""
    draw = random.Random(seed)
    rows = steady(25) + [
        (25 + i / 10, f"word{i % 7} failed {i}", draw.choice(["error", "info", None])) for i in range(60)
    ]
    rows = [(at - draw.choice([0, 0, 0, 0.4, 9.0, -0.3]), text, severity) for at, text, severity in rows]

    def digest(cuts: list[int]) -> object:
        pipeline = Pipeline(PipelineParams(message_rules=(NEW, TEXT, RATIO)))
        return [change for item in items(rows, cuts) for change in pipeline.push(item).changes]

    whole = digest([])
    assert whole
    assert repr(digest(list(range(1, len(rows))))) == repr(whole)
    assert repr(digest(sorted(draw.sample(range(1, len(rows)), 12)))) == repr(whole)


def test_a_planted_text_is_printable_in_a_summary() -> None:
    """Control characters are taken out, length is bounded; markup stays text."""
    rows: list[Row] = [(1.0, "out of memory <img src=x onerror=alert(1)>\x1b[2J" + "x" * 900, None), *steady(5, 2)]
    summary = changes(rows, TEXT)[0].summary
    assert summary.isprintable() and len(summary) < 300 and "<img" in summary


@pytest.mark.parametrize(
    ("options", "words"),
    [({"condition": "text"}, "pattern"), ({"condition": "error_ratio", "pattern": "x"}, "pattern"),
     ({"condition": "new_template", "unless": "x"}, "unless")],
)  # fmt: skip
def test_what_cannot_be_is_refused(options: dict[str, str], words: str) -> None:
    """The message names the parameter."""
    with pytest.raises(ValueError, match=words):
        MessageRuleParams(alertname="x", **options)  # type: ignore[arg-type]


def test_a_bad_pattern_is_refused() -> None:
    """With the rule's name, when the pipeline is made."""
    with pytest.raises(ConfigError, match=r"oom\.pattern: expected a regular expression"):
        Pipeline(PipelineParams(message_rules=(MessageRuleParams(alertname="oom", condition="text", pattern="(("),)))

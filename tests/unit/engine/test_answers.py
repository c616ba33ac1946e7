"""Answers to alerts are commands of the stream: any cut of it, and its replay, make the same of them."""

from __future__ import annotations

import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch
from aiops_nb.engine.commands import (
    Acknowledge,
    Comment,
    EndSilence,
    Silence,
    Start,
    Unacknowledge,
    decode_command,
    encode_command,
)
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.silenced import silences_of
from aiops_nb.frames.build import alerts_frame
from aiops_nb.rules.row.params import RowRuleParams
from tests.unit.engine.test_alert_ends import SECOND, START, Stream

RULES = PipelineParams(
    row_rules=(RowRuleParams(alertname="http_5xx", condition="status_5xx", for_rows=1, keep_firing_for_seconds=2),),
    feature_rules=(),
    client_rules=(),
    grouping=None,
)


def answered(cut=1 << 30):
    """One target fails for ten seconds; people answer in the middle of it."""
    stream = Stream(RULES, cut)

    def say(second, command):
        body = encode_command(command)
        stream.push("control", "user", control_batch("user", "command", START + second * SECOND, body))

    stream.requests([0, 0.5, 1], ["/", "/a", "/a"], [200, 500, 500])
    fingerprint = stream.changes[0].fingerprint
    say(2, Acknowledge(fingerprint=fingerprint, author="anna", note="on it"))
    stream.requests([3, 4, 5, 6, 7], ["/", "/a", "/", "/a", "/"], [200, 500, 200, 500, 200])
    say(7, Silence(id="s1", matchers=('target="/a"',), hold_seconds=3, author="ben"))
    say(8, Comment(fingerprint=fingerprint, text="rolled back", author="anna"))
    say(8, Unacknowledge(fingerprint=fingerprint))
    stream.requests([9, 10, 11, 12, 13, 14], ["/", "/a", "/", "/a", "/", "/"], [200, 500, 200, 500, 200, 200])
    say(14, EndSilence(id="s1", author="ben"))
    times = [15 + second for second in range(12)]
    stream.requests(times, ["/a"] * 12, [200] * 12)
    return stream


def test_each_answer_is_a_change_of_the_alert():
    changes = answered().changes
    assert [(one.state, one.update, one.silenced_by, one.acknowledged_by, one.note) for one in changes] == [
        ("firing", "", (), "", ""),
        ("firing", "acknowledged", (), "anna", "on it"),
        ("firing", "silenced", ("s1",), "anna", "on it"),
        ("firing", "comment", ("s1",), "anna", "rolled back"),
        ("firing", "unacknowledged", ("s1",), "", "rolled back"),
        ("firing", "unsilenced", (), "", "rolled back"),
        ("resolved", "", (), "", "rolled back"),
    ]
    assert [one.time_ns for one in changes] == sorted(one.time_ns for one in changes)


@pytest.mark.parametrize("cut", [1, 2])
def test_any_cut_gives_the_same(cut):
    assert answered(cut).changes == answered().changes


def test_the_frame_shows_what_was_answered():
    (row,) = alerts_frame(answered().changes[:4]).to_dict("records")
    assert (row["silenced_by"], row["acknowledged_by"], row["note"]) == ("s1", "anna", "rolled back")
    assert row["acknowledged_at"].value == START + 2 * SECOND


def test_silences_outlive_a_restart_only_where_the_start_says_so():
    stream = answered()
    silence = Silence(id="s2", matchers=('target="/b"',), starts_at_ns=0, ends_at_ns=START + 999 * SECOND)
    stream.command(Start(pipeline=RULES, silences=(silence,)))
    assert [one.id for one in stream.pipeline.silences()] == ["s2"]
    stream.requests([40, 41], ["/b", "/a"], [500, 500])
    assert [one.silenced_by for one in stream.changes[-2:]] == [("s2",), ()]


def test_the_silences_of_a_recording_are_known_from_its_commands():
    silence = Silence(id="s1", fingerprint="f", hold_seconds=60, author="ben")
    bodies = [encode_command(one) for one in (silence, EndSilence(id="s1", author="anna"))]
    batches = [control_batch("user", "command", second * SECOND, body) for second, body in enumerate(bodies)]
    (held,) = silences_of(batches)
    assert (held.starts_at_ns, held.ends_at_ns, held.ended_by) == (0, SECOND, "anna")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"type":"silence","id":"s1","hold_seconds":5}', "at least one matcher, or a fingerprint"),
        ('{"type":"silence","id":"s1","fingerprint":"f"}', "either ends_at_ns or hold_seconds"),
        ('{"type":"silence","id":"s1","matchers":["a=~\\"(\\""],"hold_seconds":5}', "regular expression"),
        ('{"type":"silence","id":"s1","fingerprint":"f","hold_seconds":1e300}', "hold_seconds"),
        ('{"type":"comment","fingerprint":"f","text":"' + "x" * 3000 + '"}', "length"),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_refused_with_its_fault(body, message):
    with pytest.raises(ConfigError, match=message):
        decode_command(body)

"""What people answer to alerts: marks on their changes, and the changes that answers make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiops_nb.alert.answers import Answers
from aiops_nb.alert.silences import MOST_SILENCES, HeldSilence, MaintenanceParams
from aiops_nb.core.matchers import parse_matchers
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import AlertChange

HOUR = 3600 * SECOND
LABELS = {"alertname": "http_5xx", "severity": "error", "target": "shop"}


def change(state, second, target="shop", **more):
    labels = LABELS | {"target": target}
    return AlertChange(time_ns=second * SECOND, state=state, labels=labels, fingerprint=target, pending_at_ns=0, **more)


def silence(start, end, matchers='target="shop"', id_="s1", fingerprint=""):
    parsed = () if fingerprint else parse_matchers(matchers)
    times = {"starts_at_ns": start * SECOND, "ends_at_ns": end * SECOND}
    return HeldSilence(id=id_, matchers=parsed, fingerprint=fingerprint, author="anna", **times)


def marks(changes):
    return [(one.time_ns // SECOND, one.state, one.update, one.silenced_by) for one in changes]


def test_a_silence_covers_alerts_that_fire_while_it_holds_and_lets_them_go_at_its_end():
    answers = Answers()
    assert answers.silence(silence(10, 20), 10 * SECOND) == []
    fired = answers.apply([change("firing", 12), change("firing", 12, "other")])
    assert [one.silenced_by for one in fired] == [("s1",), ()]
    assert marks(answers.tick(19 * SECOND)) == []
    assert marks(answers.tick(20 * SECOND)) == [(20, "firing", "unsilenced", ())]
    assert answers.tick(21 * SECOND) == []


def test_a_silence_of_a_firing_alert_is_a_change_of_it_and_so_is_its_early_end():
    answers = Answers()
    answers.apply([change("firing", 12)])
    assert marks(answers.silence(silence(15, 100), 15 * SECOND)) == [(15, "firing", "silenced", ("s1",))]
    assert marks(answers.tick(14 * SECOND)) == []  # windows close later than the command came
    assert marks(answers.end_silence("s1", 17 * SECOND, "ben")) == [(17, "firing", "unsilenced", ())]
    assert marks(answers.tick(16 * SECOND)) == []
    assert answers.silences.by_id["s1"].ended_by == "ben"
    assert answers.end_silence("s1", 18 * SECOND, "ben") == []
    assert answers.end_silence("unknown", 18 * SECOND, "ben") == []


def test_one_of_two_silences_may_end_without_a_change():
    answers = Answers(silences=[silence(0, 20), silence(0, 30, id_="s2")])
    answers.apply([change("firing", 12)])
    assert answers.tick(20 * SECOND) == []
    assert marks(answers.tick(30 * SECOND)) == [(30, "firing", "unsilenced", ())]


def test_a_snooze_is_of_one_alert_whatever_its_labels():
    answers = Answers()
    answers.apply([change("firing", 1), change("firing", 1, "other")])
    assert [one.fingerprint for one in answers.silence(silence(2, 9, fingerprint="shop"), 2 * SECOND)] == ["shop"]


def test_an_acknowledgement_and_a_note_end_with_the_episode():
    answers = Answers()
    answers.apply([change("firing", 1)])
    (acknowledged,) = answers.acknowledge("shop", 5 * SECOND, "anna", "on it")
    assert (acknowledged.acknowledged_by, acknowledged.acknowledged_at_ns, acknowledged.note) == (
        "anna",
        5 * SECOND,
        "on it",
    )
    assert answers.is_acknowledged("shop")
    (noted,) = answers.comment("shop", 6 * SECOND, "disk replaced")
    assert (noted.update, noted.note, noted.acknowledged) == ("comment", "disk replaced", True)
    (resolved,) = answers.apply([change("resolved", 9)])
    assert (resolved.update, resolved.acknowledged_by, resolved.note) == ("", "anna", "disk replaced")
    (again,) = answers.apply([change("firing", 20)])
    assert not again.acknowledged
    assert again.note == ""


def test_answers_to_what_is_not_active_change_nothing():
    answers = Answers()
    assert answers.acknowledge("shop", 1, "anna", "") == []
    assert answers.comment("shop", 1, "text") == []
    answers.apply([change("firing", 1)])
    assert answers.unacknowledge("shop", 2) == []
    answers.acknowledge("shop", 2, "anna", "")
    assert [one.update for one in answers.unacknowledge("shop", 3)] == ["unacknowledged"]


def test_pending_alerts_are_marked_but_make_no_news():
    answers = Answers()
    answers.apply([change("pending", 1)])
    assert answers.silence(silence(2, 9), 2 * SECOND) == []
    assert marks(answers.apply([change("firing", 3)])) == [(3, "firing", "", ("s1",))]


def test_silences_are_bounded_and_expired_ones_make_room():
    answers = Answers()
    for number in range(MOST_SILENCES + 5):
        answers.silence(silence(0, 100, id_=f"s{number}"), SECOND)
    assert len(answers.silences.by_id) == MOST_SILENCES
    answers.silence(silence(200, 300, id_="later"), 200 * SECOND)
    assert list(answers.silences.by_id) == ["later"]


# Central Europe 2026: clocks go forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
@pytest.mark.parametrize(
    ("window", "moment", "holds"),
    [
        ({"start": "02:30", "end": "03:30"}, "2026-03-29T00:45", False),  # 01:45 CET
        ({"start": "02:30", "end": "03:30"}, "2026-03-29T01:15", True),  # 03:15 CEST: 02:30 did not occur
        ({"start": "02:30", "end": "03:30"}, "2026-03-29T01:30", False),  # 03:30 CEST
        ({"start": "02:15", "end": "02:45"}, "2026-10-25T00:30", True),  # 02:30 CEST
        ({"start": "02:15", "end": "02:45"}, "2026-10-25T01:00", False),  # 02:00 CET
        ({"start": "02:15", "end": "02:45"}, "2026-10-25T01:30", True),  # 02:30 CET, the same hour again
        ({"start": "22:00", "end": "02:00", "weekdays": ("sunday",)}, "2026-06-07T20:00", True),  # Sunday 22:00
        ({"start": "22:00", "end": "02:00", "weekdays": ("sunday",)}, "2026-06-07T23:30", True),  # Monday 01:30
        ({"start": "22:00", "end": "02:00", "weekdays": ("sunday",)}, "2026-06-06T23:30", False),  # Sunday 01:30
        ({"start": "00:00", "end": "24:00", "weekdays": ("monday",)}, "2026-06-08T21:59", True),
        ({"start": "00:00", "end": "24:00", "weekdays": ("monday",)}, "2026-06-08T22:00", False),
        ({"start": "08:00", "end": "09:00"}, "2026-01-08T07:30", True),  # winter: UTC+1
        ({"start": "08:00", "end": "09:00"}, "2026-07-08T06:30", True),  # summer: UTC+2
    ],
)
def test_maintenance_windows_follow_the_wall_clock(window, moment, holds):
    import pandas as pd

    params = MaintenanceParams(name="weekly", timezone="Europe/Berlin", **window)
    assert params.holds_at(pd.Timestamp(moment, tz="UTC").value) is holds


def test_a_maintenance_window_silences_by_its_name():
    window = MaintenanceParams(name="backup", start="01:00", end="02:00", matchers=('target="shop"',))
    answers = Answers((window,))
    fired = answers.apply([change("firing", 3700), change("firing", 3700, "other")])
    assert [one.silenced_by for one in fired] == [("backup",), ()]
    assert marks(answers.tick(2 * HOUR)) == [(7200, "firing", "unsilenced", ())]
    assert replace(fired[1], silenced_by=()) == fired[1]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("start", "25:00", "start: expected a time of day such as 22:00, got '25:00'"),
        ("timezone", "Mars/Olympus", "timezone: expected a name such as Europe/Berlin, got 'Mars/Olympus'"),
        ("matchers", ("severity",), 'matchers[0]: expected matchers such as severity="warning"'),
    ],
)
def test_a_wrong_window_is_refused_with_its_field(field, value, message):
    given = {"name": "w", "start": "01:00", "end": "02:00"} | {field: value}
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        MaintenanceParams(**given)

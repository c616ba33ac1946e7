"""What is due and when: groups, waits, repeats, suppressed alerts; no thread and no clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.notify.delivery import takes
from aiops_nb.notify.dispatch import RESTARTED, Dispatcher, Notice
from aiops_nb.notify.message import message_of
from aiops_nb.notify.params import NotifyParams, RouteParams, WebhookParams
from aiops_nb.notify.templates import Texts
from tests.unit.notify.receiver import change

CHANNELS = WebhookParams(url="http://127.0.0.1:9/", name="one"), WebhookParams(url="http://127.0.0.1:9/", name="two")


def at(seconds: float, state: str, fingerprint: str = "f", **fields: Any) -> AlertChange:
    time_ns = round(seconds * NS_PER_SECOND)
    return change(state, fingerprint, time_ns=time_ns, **{"pending_at_ns": time_ns, **fields})


def dispatcher(**options: Any) -> Dispatcher:
    return Dispatcher(NotifyParams(channels=CHANNELS, **{"group_wait_seconds": 1.0, **options}))


def run(one: Dispatcher, *stream: AlertChange | float, clock: bool = True) -> list[tuple[float, str]]:
    """Notices as (second, "kind fingerprint ..."); a number is a heartbeat, and others come each second before it."""
    notices: list[Notice] = []
    beat = next((item for item in stream if isinstance(item, (int, float))), None)
    for item in stream:
        until = item if isinstance(item, (int, float)) else item.time_ns / NS_PER_SECOND
        while clock and beat is not None and beat < until:
            notices += one.advance(round(beat * NS_PER_SECOND))
            beat += 1
        notices += one.advance(round(item * NS_PER_SECOND)) if isinstance(item, (int, float)) else one.take(item)
    notices += one.finish()
    return [
        (notice.at_ns / NS_PER_SECOND, " ".join(f"{one.kind}:{one.fingerprint}" for one in notice.messages))
        for notice in notices
    ]


def test_the_first_notice_of_a_group_waits_for_others() -> None:
    stream = at(0, "firing", "a"), at(0.4, "firing", "b"), at(2, "firing", "c"), 60
    grouped = dispatcher(group_by=("alertname",), group_interval_seconds=30.0)
    assert run(grouped, *stream) == [(1.0, "firing:a firing:b"), (31.0, "firing:c")]


def test_alerts_are_by_themselves_unless_they_are_grouped() -> None:
    labels = ({"target": "a"}, {"target": "b"})
    changes = [at(0, "firing", name, labels=one) for name, one in zip("ab", labels, strict=True)]
    assert run(dispatcher(), *changes, 5) == [(1.0, "firing:a"), (1.0, "firing:b")]


def test_changes_wait_for_the_next_interval_of_their_group() -> None:
    one = dispatcher(group_by=("alertname",), group_interval_seconds=10.0)
    stream = at(0, "firing", "a"), at(3, "firing", "b"), at(12, "resolved", "a"), at(20, "resolved", "b"), 60
    assert run(one, *stream) == [(1.0, "firing:a"), (11.0, "firing:b"), (21.0, "resolved:a resolved:b")]


def test_groups_have_the_labels_that_they_are_made_by() -> None:
    one = dispatcher(group_by=("target",))
    notices = [*one.take(at(0, "firing", "a")), *one.advance(9 * NS_PER_SECOND)]
    assert [(notice.group, notice.channels, notice.firing_total) for notice in notices] == [
        ({"target": "shop"}, ("one", "two"), 1)
    ]
    assert notices[0].messages[0].group == {"target": "shop"}


def test_what_still_fires_is_repeated() -> None:
    one = dispatcher(group_interval_seconds=5.0, repeat_interval_seconds=12.0)
    assert run(one, at(0, "firing"), 40, at(41, "resolved"), 60) == [
        (1.0, "firing:f"),
        (16.0, "repeat:f"),
        (31.0, "repeat:f"),
        (41.0, "resolved:f"),
    ]


def test_an_acknowledged_alert_is_not_repeated_until_it_is_unacknowledged() -> None:
    one = dispatcher(repeat_interval_seconds=10.0)
    known = {"acknowledged_at_ns": 1, "acknowledged_by": "anna", "update": "acknowledged"}
    stream = at(0, "firing"), at(5, "firing", **known), 40, at(41, "firing", update="unacknowledged"), 52
    repeats = (42.0, "repeat:f"), (52.0, "repeat:f")  # at once: the interval has passed, as in Alertmanager
    assert run(one, *stream) == [(1.0, "firing:f"), (5.0, "update:f"), (41.0, "update:f"), *repeats]


SUPPRESSED = [{"silenced_by": ("s1",)}, {"inhibited_by": "outage"}, {"acknowledged_at_ns": 1, "acknowledged_by": "a"}]


@pytest.mark.parametrize("how", SUPPRESSED)
def test_a_suppressed_alert_notifies_nobody_until_it_is_released(how: dict[str, Any]) -> None:
    assert run(dispatcher(), at(0, "firing", **how), 60, at(61, "resolved", **how), 99) == []
    released = at(0, "firing", **how), 60, at(61, "firing", update="released"), at(70, "resolved"), 99
    assert run(dispatcher(), *released) == [(62.0, "firing:f"), (70.0, "resolved:f")]


@pytest.mark.parametrize("how", SUPPRESSED)
def test_who_was_notified_hears_of_the_end_whatever_came_between(how: dict[str, Any]) -> None:
    stream = at(0, "firing"), 5, at(6, "firing", update="silenced", **how), at(9, "resolved", **how), 20
    assert [one for _, one in run(dispatcher(), *stream)][-1] == "resolved:f"


def test_what_ends_or_is_silenced_within_the_wait_notifies_nobody() -> None:
    assert run(dispatcher(), at(0, "firing"), at(0.5, "resolved"), 9) == []
    assert run(dispatcher(), at(0, "firing"), at(0.5, "firing", silenced_by=("s",), update="silenced"), 9) == []


def test_an_alert_that_fires_again_before_its_end_was_notified_goes_on() -> None:
    one = dispatcher(group_interval_seconds=30.0)
    stream = at(0, "firing"), at(5, "resolved"), at(9, "firing"), at(40, "resolved"), 99
    assert run(one, *stream) == [(1.0, "firing:f"), (61.0, "resolved:f")]


@pytest.mark.parametrize("update", ["severity", "flapping"])
def test_a_change_for_the_worse_is_an_update_of_the_same_episode(update: str) -> None:
    one = dispatcher()
    notices = [*one.take(at(0, "firing")), *one.advance(2 * NS_PER_SECOND)]
    notices += [
        *one.take(at(5, "firing", update=update, flapping=update == "flapping", labels={"severity": "critical"})),
        *one.advance(10**10),
    ]
    (first,), (second,) = (notice.messages for notice in notices)
    assert (first.kind, second.kind, second.update, second.severity) == ("firing", "update", update, "critical")
    assert first.dedup_key == second.dedup_key and first.idempotency_key != second.idempotency_key


def test_a_flapping_alert_is_one_notice_until_it_is_calm() -> None:
    one = dispatcher()
    stream = (
        at(0, "firing"),
        at(5, "resolved"),
        at(10, "firing", flapping=True),  # what comes then is withheld
        at(100, "firing", update="flapping"),  # calm, and it still fires
        at(120, "resolved"),
    )
    notices = [notice for item in stream for notice in [*one.take(item), *one.advance(item.time_ns + 10**9)]]
    (first, ended, flaps, calm, over) = (notice.messages[0] for notice in notices)
    assert [first.kind, ended.kind, flaps.kind, over.kind] == ["firing", "resolved", "firing", "resolved"]
    assert flaps.flapping and Texts().title([flaps]) == "FLAPPING: http_5xx on shop"
    assert calm.update == "calm" and not takes(CHANNELS[0], calm)


def test_a_severity_that_rises_reaches_the_channels_of_its_new_route() -> None:
    routes = (RouteParams(matchers={"severity": ("critical",)}, channels=("two",)),)
    one = Dispatcher(NotifyParams(channels=CHANNELS, routes=routes, default=("one",)))
    stream = at(0, "firing"), at(5, "firing", update="severity", labels={"severity": "critical"}), at(9, "resolved")
    notices = [notice for item in stream for notice in one.take(item)] + one.finish()
    assert [(notice.channels, notice.messages[0].kind) for notice in notices] == [
        (("one",), "firing"),
        (("one",), "update"),
        (("two",), "firing"),
        (("one",), "resolved"),
        (("two",), "resolved"),
    ]


def test_a_route_has_its_own_waits() -> None:
    slow = RouteParams(matchers={"target": ("batch",)}, channels=("one",), group_wait_seconds=30.0)
    stream = at(0, "firing", "a"), at(0, "firing", "b", labels={"target": "batch"}), 60
    assert run(dispatcher(routes=(slow,)), *stream) == [(1.0, "firing:a"), (30.0, "firing:b")]


def test_the_end_of_the_run_sends_what_waits() -> None:
    assert run(dispatcher(group_wait_seconds=600.0), at(0, "firing")) == [(0.0, "firing:f")]


def test_alerts_of_an_earlier_run_go_on_or_end() -> None:
    one = dispatcher(adopt_seconds=60.0)
    one.adopt(message_of(at(0, "firing", name, labels={"target": name})) for name in "abc")
    stream = 100, at(110, "firing", "a", labels={"target": "a"}), at(120, "resolved", "b", labels={"target": "b"}), 170
    assert run(one, *stream) == [(120.0, "resolved:b"), (160.0, "resolved:c")]
    assert one.finish() == [] and one.held_total == 1
    again = dispatcher(adopt_seconds=1.0)
    again.adopt([message_of(at(0, "firing"))])
    notices = [*again.advance(10**9), *again.advance(5 * 10**9), *again.finish()]
    assert [message.outcome for notice in notices for message in notice.messages] == [RESTARTED]


def test_a_silenced_alert_of_an_earlier_run_has_not_ended() -> None:
    one = dispatcher(adopt_seconds=10.0)
    one.adopt([message_of(at(0, "firing"))])
    assert run(one, 1, at(5, "firing", silenced_by=("s",)), 60, at(70, "resolved"), 99) == [(70.0, "resolved:f")]


def test_a_source_whose_clock_is_fast_delays_nobody() -> None:
    one = dispatcher()
    stream = 100, at(159, "firing", "fast"), 101, at(101.2, "firing", "right"), 102, 103
    notices: list[tuple[float, str]] = []
    for item in stream:
        made = one.advance(item * NS_PER_SECOND) if isinstance(item, int) else one.take(item)
        notices += [(notice.at_ns / NS_PER_SECOND, notice.messages[0].fingerprint) for notice in made]
    assert notices == [(102.0, "fast"), (102.2, "right")]


def test_a_clock_that_is_set_back_with_a_new_run_delays_nobody() -> None:
    one = dispatcher(group_by=("alertname",), group_interval_seconds=60.0, repeat_interval_seconds=600.0)
    assert run(
        one, 7000, at(7000.5, "firing", "a"), at(7000.6, "firing", "never ends"), 7005, at(7005, "resolved", "a")
    )
    assert run(one, 100, at(100.5, "firing", "b"), 160) == [(120.0, "firing:b")]


def test_a_group_of_many_costs_time_in_proportion() -> None:
    one = dispatcher(group_by=("alertname",), group_interval_seconds=60.0)
    for number in range(10_000):
        assert one.take(at(number / 10_000, "firing", str(number))) == []
    (notice,) = one.advance(2 * NS_PER_SECOND)
    assert len(notice.messages) == notice.firing_total == one.held_total == 10_000
    for number in range(10_000):
        one.take(at(3, "resolved", str(number)))
    assert len(one.finish()[0].messages) == 10_000 and one.held_total == 0


STATES = st.sampled_from(["pending", "firing", "resolved", "inactive", "silenced", "severity", "acknowledged", "beat"])
STREAMS = st.lists(st.tuples(st.floats(0, 20), st.sampled_from("abc"), STATES), max_size=60)
WAITS = st.sampled_from([0.0, 0.5, 7.0])


@settings(max_examples=150, deadline=None)
@given(
    STREAMS,
    WAITS,
    WAITS,
    st.sampled_from([None, 11.0]),
    st.sampled_from([("...",), ("alertname",), ()]),
)
def test_every_episode_fires_once_and_resolves_once_in_order(
    stream: list[tuple[float, str, str]],
    wait: float,
    interval: float,
    repeat: float | None,
    group_by: tuple[str, ...],
) -> None:
    options: dict[str, Any] = {"group_wait_seconds": wait, "group_interval_seconds": interval}
    options |= {"repeat_interval_seconds": repeat, "group_by": group_by}
    one, same = dispatcher(**options), dispatcher(**options)
    now, beat, firing = 0.0, 0, dict.fromkeys("abc", False)
    notices: list[Notice] = []
    again: list[Notice] = []
    for passed, name, state in stream:
        now += passed
        if state == "beat":
            notices += one.advance(round(now * NS_PER_SECOND))
            continue
        if state in ("silenced", "severity", "acknowledged") and not firing[name]:
            continue
        suppressed = {"silenced": {"silenced_by": ("s",)}, "acknowledged": {"acknowledged_at_ns": 1}}.get(state, {})
        update = {"update": state} if state in ("silenced", "severity", "acknowledged") else {}
        kind = "firing" if update else state
        firing[name] = kind == "firing" if kind in ("firing", "resolved") else firing[name]
        made = at(now, kind, name, labels={"target": name}, **suppressed, **update)
        notices += one.take(made)
        while beat < made.time_ns:  # heartbeats change nothing but how soon a notice is known
            again += same.advance(beat)
            beat += NS_PER_SECOND
        again += same.take(made)
    notices += one.finish()
    again += same.finish()
    open_episodes: dict[str, int] = {}
    for notice in notices:
        for message in notice.messages:
            if message.kind == "firing":
                assert message.fingerprint not in open_episodes
                open_episodes[message.fingerprint] = message.episode_ns
                continue
            assert open_episodes[message.fingerprint] == message.episode_ns
            if message.kind == "resolved":
                del open_episodes[message.fingerprint]
    assert [notice.at_ns for notice in notices] == sorted(notice.at_ns for notice in notices)
    if not any(state == "beat" for _, _, state in stream):
        assert notices == again


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        ({"severity": ("critical", "error")}, ["two"]),
        ({"target": "shop"}, ["two"]),
        ('severity=~"err.*", target!="till"', ["two"]),
        (('target="shop"', "severity!=error"), ["one"]),
        ({}, ["two"]),
    ],
)
def test_routes_take_matchers_of_alertmanager(matchers: Any, expected: list[str]) -> None:
    params = NotifyParams(
        channels=CHANNELS, routes=(RouteParams(matchers=matchers, channels=("two",)),), default=("one",)
    )
    assert list(params.channels_for({"severity": "error", "target": "shop"})) == expected


def test_a_matcher_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected matchers such as"):
        RouteParams(matchers="severity is error", channels=())


def test_an_answer_does_not_put_off_what_is_repeated():
    """A channel that cannot show answers would hear nothing for another whole interval."""
    params = NotifyParams(
        channels=(WebhookParams(url="http://127.0.0.1:9/"),),
        group_wait_seconds=0.0,
        group_interval_seconds=1.0,
        repeat_interval_seconds=60.0,
    )
    dispatcher = Dispatcher(params)
    labels = {"alertname": "a", "severity": "error", "target": "t"}
    fired = AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0, starts_at_ns=0)
    notices = dispatcher.take(fired)
    for second in range(1, 130):
        if second in (50, 55):  # somebody comments
            notices += dispatcher.take(replace(fired, time_ns=second * 10**9, update="comment"))
        notices += dispatcher.advance(second * 10**9)
    repeated = [one.at_ns // 10**9 for one in notices if one.messages[0].kind == "repeat"]
    assert repeated == [60, 120]

"""An alert that comes and goes is one episode until it is calm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.alert.flapping import Flapping, FlappingParams
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import AlertChange

PARAMS = FlappingParams(min_episodes=3, within_seconds=60, calm_seconds=20)


def change(state, second, began=None, outcome="", fingerprint="f"):
    began_ns = (second if began is None else began) * SECOND
    ended = {"ends_at_ns": second * SECOND} if state in ("resolved", "inactive") else {}
    return AlertChange(
        time_ns=second * SECOND,
        state=state,
        labels={"alertname": "a", "severity": "error", "target": "shop"},
        fingerprint=fingerprint,
        pending_at_ns=began_ns,
        starts_at_ns=began_ns,
        outcome=outcome,
        **ended,
    )


def seen(changes):
    return [(one.time_ns // SECOND, one.state, one.flapping, one.update) for one in changes]


def flaps(flapping, times=3, every=10):
    """Fires every ten seconds, for five."""
    made = []
    for number in range(times):
        second = number * every
        made += flapping.apply([change("firing", second)])
        made += flapping.apply([change("resolved", second + 5, second)])
        made += flapping.tick((second + 6) * SECOND)
    return made


def test_from_the_third_time_on_it_is_one_episode_until_calm():
    flapping = Flapping(PARAMS)
    assert seen(flaps(flapping, 6)) == [
        (0, "firing", False, ""),
        (5, "resolved", False, ""),
        (10, "firing", False, ""),
        (15, "resolved", False, ""),
        (20, "firing", True, ""),
    ]
    assert flapping.tick(74 * SECOND) == []
    (end,) = flapping.tick(75 * SECOND)
    assert seen([end]) == [(75, "resolved", False, "")]
    assert (end.pending_at_ns, end.ends_at_ns) == (20 * SECOND, 75 * SECOND)
    assert end.summary == "shop: resolved after 55 s of flapping"
    assert seen(flapping.apply([change("firing", 80)])) == [(80, "firing", False, "")]


def test_one_that_keeps_firing_is_calm_too():
    flapping = Flapping(PARAMS)
    flaps(flapping)
    assert flapping.apply([change("firing", 30)]) == []
    assert seen(flapping.tick(50 * SECOND)) == [(50, "firing", False, "flapping")]
    (end,) = flapping.apply([change("resolved", 55, 30)])
    assert seen([end]) == [(55, "resolved", False, "")]
    assert end.pending_at_ns == 20 * SECOND


def test_what_ends_for_another_reason_ends_at_once():
    flapping = Flapping(PARAMS)
    flaps(flapping)
    flapping.apply([change("firing", 30)])
    (end,) = flapping.apply([change("resolved", 31, 30, "no data for 15 min")])
    assert (end.outcome, end.pending_at_ns) == ("no data for 15 min", 20 * SECOND)


def test_the_end_of_the_run_ends_those_that_wait_for_calm():
    flapping = Flapping(PARAMS)
    flaps(flapping)
    (end,) = flapping.close(40 * SECOND, "monitoring stopped")
    assert (end.state, end.outcome) == ("resolved", "monitoring stopped")
    assert flapping.close(41 * SECOND, "monitoring stopped") == []


def test_slow_repetition_is_no_flapping_and_is_forgotten():
    flapping = Flapping(PARAMS)
    assert not any(one.flapping for one in flaps(flapping, 9, every=31))
    flapping.tick(10_000 * SECOND)
    assert flapping._histories == {}


def test_switched_off_every_episode_stands_for_itself():
    assert len(flaps(Flapping(None), 9)) == 18


moves = st.lists(st.tuples(st.integers(1, 15), st.sampled_from(["a", "b"])), max_size=60)


@given(moves)
def test_what_comes_out_is_a_proper_sequence_of_episodes(moves):
    """Firing and resolved alternate for each alert, and each resolve has the episode of its firing."""
    flapping, at, firing, made = Flapping(PARAMS), 0, {}, []
    for wait, name in moves:
        at += wait
        made += flapping.tick(at * SECOND)
        began = firing.pop(name, None)
        if began is None:
            firing[name] = at
        state = "firing" if began is None else "resolved"
        made += flapping.apply([change(state, at, began, fingerprint=name)])
    for name, began in firing.items():
        made += flapping.apply([change("resolved", at, began, "monitoring stopped", name)])
    made += flapping.close(at * SECOND, "monitoring stopped")
    for name in "ab":
        own = [one for one in made if one.fingerprint == name and not one.update]
        assert [one.state for one in own] == ["firing", "resolved"] * (len(own) // 2)
        pairs = zip(own[::2], own[1::2], strict=True)
        assert all(first.pending_at_ns == last.pending_at_ns for first, last in pairs)

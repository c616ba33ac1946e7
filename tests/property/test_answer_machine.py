"""Random alerts, answers and time, step by step: what holds of the changes of every alert, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aiops_nb.alert.answers import Answers
from aiops_nb.alert.flapping import Flapping, FlappingParams
from aiops_nb.alert.inhibition import Inhibitor
from aiops_nb.alert.lifecycle import STOPPED
from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.matchers import parse_matchers
from aiops_nb.core.types import FIRING_STATES, AlertChange
from aiops_nb.core.types import NS_PER_SECOND as SECOND

TARGETS = ("db", "api", "shop")
targets = st.sampled_from(TARGETS)
fires = st.sampled_from(FIRING_STATES)
ids = st.sampled_from(("s1", "s2", "s3"))


class Alerts(RuleBasedStateMachine):
    """Three targets of which each depends on the one before, with one alert each."""

    def __init__(self):
        super().__init__()
        self.flapping = Flapping(FlappingParams(min_episodes=3, within_seconds=40, calm_seconds=15))
        self.inhibitor = Inhibitor((), depends_on={"api": ("db",), "shop": ("api",)})
        self.answers = Answers()
        self.at, self.state, self.began, self.changes = 0, dict.fromkeys(TARGETS, "inactive"), {}, []

    def passed(self, changes):
        self.changes += self.answers.apply(self.inhibitor.apply(changes))

    def change(self, target, state, outcome=""):
        labels = {"alertname": "down", "severity": "error", "target": target}
        began = self.began.setdefault(target, self.at)
        made = AlertChange(
            time_ns=self.at * SECOND, state=state, labels=labels, fingerprint=target, pending_at_ns=began * SECOND
        )
        if state in ("resolved", "inactive"):
            made = replace(made, ends_at_ns=self.at * SECOND, outcome=outcome)
            self.state[target], _ = "inactive", self.began.pop(target)
        else:
            made = replace(made, starts_at_ns=self.at * SECOND)
            self.state[target] = state
        self.passed(self.flapping.apply([made]))

    @rule(name=targets, state=fires)
    def fires_or_recovers(self, name, state):
        if self.state[name] in FIRING_STATES:
            self.change(name, "resolved")
        else:
            self.change(name, state)

    @rule(name=targets)
    def is_pending_and_recovers(self, name):
        if self.state[name] == "inactive":
            self.change(name, "pending")
        elif self.state[name] == "pending":
            self.change(name, "inactive")

    @rule(name=targets, state=fires)
    def comes_and_goes(self, name, state):
        for _ in range(4):
            self.fires_or_recovers(name, state)
            self.pass_seconds(2)

    @rule(name=targets)
    def loses_its_data(self, name):
        if self.state[name] != "inactive":
            self.change(name, "resolved" if self.state[name] in FIRING_STATES else "inactive", "no data")

    @rule()
    def the_monitor_stops_and_starts(self):
        for name in TARGETS:
            if self.state[name] != "inactive":
                self.change(name, "resolved" if self.state[name] in FIRING_STATES else "inactive", STOPPED)
        self.passed(self.flapping.close(self.at * SECOND, STOPPED))
        held = self.answers.silences.by_id.values()
        self.answers = Answers(silences=held, acknowledged=self.answers.acknowledgements())

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds):
        self.pass_seconds(seconds)

    def pass_seconds(self, seconds):
        for _ in range(seconds):
            self.at += 1
            self.passed(self.flapping.tick(self.at * SECOND))
            self.changes += self.answers.apply(self.inhibitor.tick(self.at * SECOND))
            self.changes += self.answers.tick(self.at * SECOND)

    @rule(name=targets, wish=st.sampled_from(("acknowledge", "unacknowledge", "comment")))
    def somebody_answers(self, name, wish):
        now = self.at * SECOND
        match wish:
            case "acknowledge":
                self.changes += self.answers.acknowledge(name, now, "anna", "")
            case "unacknowledge":
                self.changes += self.answers.unacknowledge(name, now)
            case "comment":
                self.changes += self.answers.comment(name, now, "text")

    @rule(id_=ids, name=targets, begins=st.integers(-5, 10), seconds=st.integers(1, 30))
    def somebody_silences(self, id_, name, begins, seconds):
        start = self.at + begins
        silence = HeldSilence(
            id=id_,
            matchers=parse_matchers({"target": name}),
            starts_at_ns=start * SECOND,
            ends_at_ns=(start + seconds) * SECOND,
        )
        self.changes += self.answers.silence(silence, self.at * SECOND)

    @rule(id_=ids)
    def somebody_ends_a_silence(self, id_):
        self.changes += self.answers.end_silence(id_, self.at * SECOND, "anna")

    def own(self, target):
        return [one for one in self.changes if one.fingerprint == target]

    @invariant()
    def each_episode_fires_once_and_ends_once(self):
        for target in TARGETS:
            moves = [one for one in self.own(target) if not one.update and (one.is_firing or one.state == "resolved")]
            states = ["firing" if one.is_firing else one.state for one in moves]
            assert states == (["firing", "resolved"] * len(states))[: len(states)]
            ends = zip(moves[::2], moves[1::2], strict=False)
            assert all(first.pending_at_ns == second.pending_at_ns for first, second in ends)

    @invariant()
    def an_update_is_of_an_active_alert_and_of_its_episode(self):
        for target in TARGETS:
            episode = None
            for one in self.own(target):
                if one.update:
                    assert one.is_active
                    assert one.pending_at_ns == episode
                episode = one.pending_at_ns if one.is_active else None

    @invariant()
    def a_firing_alert_is_silenced_exactly_while_a_silence_holds(self):
        for target in TARGETS:
            last = self.own(target)[-1:]
            if last and last[0].is_firing:
                holding = [one for one in self.answers.silences.by_id.values() if one.holds_at(self.at * SECOND)]
                wanted = [one.id for one in holding if one.covers(last[0].labels, target)]
                assert bool(last[0].silenced_by) == bool(wanted)

    @invariant()
    def answers_end_with_the_episode(self):
        for target in TARGETS:
            for first, second in pairwise(self.own(target)):
                if first.state in ("resolved", "inactive") and first.outcome != STOPPED:
                    assert not second.acknowledged
                    assert not second.note

    @invariant()
    def an_acknowledgement_outlives_a_restart_and_only_that(self):
        for target in TARGETS:
            for first, second in pairwise(self.own(target)):
                if first.outcome == STOPPED and second.acknowledged and not second.update:
                    assert first.acknowledged
                    assert second.acknowledged_by == first.acknowledged_by

    @invariant()
    def the_times_of_an_alert_never_go_back(self):
        for target in TARGETS:
            times = [one.time_ns for one in self.own(target)]
            assert times == sorted(times)


Alerts.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAlerts = Alerts.TestCase

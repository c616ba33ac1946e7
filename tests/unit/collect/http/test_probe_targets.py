"""Targets that come and go while a probe runs, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.demo import DemoService, start_demo_service

MOST_POLLS = 100


@pytest.fixture(scope="module")
def service() -> Iterator[DemoService]:
    with start_demo_service(kinds=()) as running:
        yield running


def until(probe: HttpProbe, is_enough: Callable[[set[str]], bool]) -> set[str]:
    """The targets of whole polls, the last one of which is enough."""
    for _ in range(MOST_POLLS):
        seen = set(probe.poll(0.3)["target"].to_pylist())
        if is_enough(seen):
            return seen
    raise AssertionError("never seen")


def test_targets_are_added_paused_resumed_and_removed(service: DemoService) -> None:
    first, second = (ProbeTarget(url=url) for url in service.urls[:2])
    probe = HttpProbe([first], interval_seconds=0.1)
    try:
        until(probe, lambda seen: seen == {first.shown_name})
        probe.add("two", second)
        until(probe, lambda seen: "two" in seen)
        assert probe.target_names == (first.shown_name, "two")
        probe.pause(first.shown_name)
        until(probe, lambda seen: seen == {"two"})
        probe.pause(first.shown_name)  # twice is once
        probe.resume(first.shown_name)
        until(probe, lambda seen: first.shown_name in seen)
        probe.remove("two")
        until(probe, lambda seen: seen == {first.shown_name})
        probe.remove(first.shown_name)
        until(probe, lambda seen: not seen)
        probe.add("two", second)  # a probe without targets goes on, and takes new ones
        until(probe, lambda seen: seen == {"two"})
    finally:
        probe.close()


def test_a_target_of_a_far_interval_does_not_hold_up_a_new_one(service: DemoService) -> None:
    seldom, often = ProbeTarget(url=service.urls[0], interval_seconds=3600), ProbeTarget(url=service.urls[1])
    probe = HttpProbe([seldom], interval_seconds=0.1)
    try:
        until(probe, lambda seen: seen == {seldom.shown_name})
        probe.add("often", often)
        until(probe, lambda seen: seen == {"often"})
        probe.add("often", ProbeTarget(url=service.urls[2]))  # replaced: asked once an interval, not twice
        until(probe, lambda seen: seen == {"often"})
    finally:
        probe.close()

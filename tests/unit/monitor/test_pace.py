"""A replay is paused, stepped, sped up and skipped; its results are those of every other replay."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import aiops_nb
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import CLOCK_SOURCE
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.monitor.pace import Pace

WAIT_SECONDS = 20.0


class Beats:
    """Counts the recorded heartbeats that were taken."""

    def __init__(self) -> None:
        self.count = 0
        self._news = threading.Condition()

    def write(self, step: Step) -> None:
        if step.item.source == CLOCK_SOURCE:
            with self._news:
                self.count += 1
                self._news.notify_all()

    def close(self) -> None:
        self.count = 0

    def wait(self, condition: Callable[[int], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: condition(self.count), WAIT_SECONDS)

    def stays(self, seconds: float = 0.3) -> int:
        """The count, which does not change for some time."""
        with self._news:
            before = self.count
            assert not self._news.wait_for(lambda: self.count > before, seconds)
            return before


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pace") / "r"
    aiops_nb.from_synthetic(60, seed=3, record=path)
    return str(path)


def test_it_is_paused_stepped_skipped_and_sped_up_with_the_same_results(recording: str) -> None:
    beats = Beats()
    replay = aiops_nb.replay(recording, speed=20, sinks=[beats])
    try:
        beats.wait(lambda count: count >= 3)
        replay.pause()
        assert replay.pace is not None and replay.pace.paused
        threading.Event().wait(0.2)  # what was on its way
        before = beats.stays()
        replay.step()
        beats.wait(lambda count: count == before + 1)
        assert beats.stays() == before + 1
        replay.skip_to("30s")
        beats.wait(lambda count: count >= 28)
        threading.Event().wait(0.2)
        assert beats.stays() <= 33
        replay.resume()
        replay.set_speed(1000)
        assert replay.wait(WAIT_SECONDS)
    finally:
        replay.stop()
    assert replay.features().equals(aiops_nb.replay(recording).features())


def test_at_infinite_speed_nothing_is_waited_for_unless_it_is_paused() -> None:
    pace, hour_ns = Pace(float("inf"), SystemClock(), threading.Event()), 3600 * NS_PER_SECOND
    for hour in range(3):
        pace.wait_until(hour * hour_ns)
    pace.pause()
    pace.step()
    pace.wait_until(3 * hour_ns)
    pace.resume()
    pace.set_speed(1e12)
    pace.wait_until(4 * hour_ns)


def test_a_paused_replay_is_stopped_at_once(recording: str) -> None:
    replay = aiops_nb.replay(recording, speed=1)
    replay.pause()
    replay.stop()
    assert not replay.running


def test_what_has_no_pace_refuses_to_change_it(recording: str) -> None:
    for monitor in (aiops_nb.replay(recording), aiops_nb.from_synthetic(5)):
        with pytest.raises(ConfigError, match="running replay with a speed"):
            monitor.pause()
    replay = aiops_nb.replay(recording, speed=1)
    try:
        for speed in (0, -1, float("inf"), float("nan"), "fast"):
            with pytest.raises(ConfigError, match="speed: expected a number > 0"):
                replay.set_speed(speed)  # type: ignore[arg-type]
    finally:
        replay.stop()

"""Targets and sources that come and go while a monitor runs: recorded, replayed, and in the configuration."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import aiops_nb
from aiops_nb.config import parse_config
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.types import Step
from aiops_nb.demo import DemoService, start_demo_service

WAIT_SECONDS = 20.0
ONLY_TARGETS = {"host_metrics": False, "self_observation": None}


class Seen:
    """Reached when the rows of a step satisfy a condition."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._targets: list[str] = []

    def write(self, step: Step) -> None:
        if step.item.table == "requests":
            with self._news:
                self._targets += step.item.batch.column("target").to_pylist()
                self._news.notify_all()

    def close(self) -> None:
        self._targets = []

    def wait(self, condition: Callable[[list[str]], bool]) -> None:
        with self._news:
            self._targets.clear()
            assert self._news.wait_for(lambda: condition(self._targets), WAIT_SECONDS)


@pytest.fixture(scope="module")
def service() -> Iterator[DemoService]:
    with start_demo_service(kinds=()) as running:
        yield running


def commands(path: Path) -> list[dict[str, object]]:
    table = aiops_nb.open_recording(path).reader.table("control")
    kinds, bodies = table["kind"].to_pylist(), table["body"].to_pylist()
    found = [json.loads(body) for kind, body in zip(kinds, bodies, strict=True) if kind == "command"]
    return [one for one in found if one["type"] not in ("start", "stop", "source_ended")]


def test_every_change_is_recorded_and_a_replay_gives_the_same(service: DemoService, tmp_path: Path) -> None:
    first, second = service.urls[:2]
    seen = Seen()
    with aiops_nb.watch(
        first, interval_seconds=0.1, record=tmp_path / "r", config=ONLY_TARGETS, sinks=[seen]
    ) as monitor:
        assert monitor.add_target(second, interval_seconds=0.2) == second
        seen.wait(lambda targets: second in targets)
        monitor.pause_target(first)
        seen.wait(lambda targets: targets.count(second) > 3)
        monitor.resume_target(first)
        seen.wait(lambda targets: first in targets)
        monitor.set_interval(second, 0.1)
        monitor.remove_target(second)
        seen.wait(lambda targets: targets.count(first) > 3)
        assert monitor.targets()["name"].tolist() == [first]
    assert commands(tmp_path / "r") == [
        {"type": "add_target", "target": second, "interval_seconds": 0.2},
        {"type": "pause_target", "target": first},
        {"type": "resume_target", "target": first},
        {"type": "set_interval", "target": second, "interval_seconds": 0.1},
        {"type": "remove_target", "target": second},
    ]
    replayed = aiops_nb.replay(tmp_path / "r")
    assert replayed.features().equals(monitor.features())


def test_the_next_start_has_the_targets_of_now(service: DemoService) -> None:
    seen = Seen()
    first, second, third = service.urls[:3]
    monitor = aiops_nb.watch([first, second], interval_seconds=0.1, config=ONLY_TARGETS, sinks=[seen])
    try:
        monitor.stop()
        monitor.remove_target(first)
        monitor.pause_target(second)
        monitor.add_target(third)
        monitor.start()
        seen.wait(lambda targets: len(targets) > 5 and set(targets[-5:]) == {third})
        assert monitor.targets()["state"].tolist() == ["paused", "active"]
    finally:
        monitor.stop()


def test_the_first_url_and_other_sources_are_added_to_a_monitor_without_any(
    service: DemoService, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text("")
    seen = Seen()
    with aiops_nb.watch(config={"host_metrics": True, "self_observation": None}, sinks=[seen]) as monitor:
        monitor.add_target(service.urls[0], interval_seconds=0.1)
        seen.wait(lambda targets: service.urls[0] in targets)
        name = monitor._to_change().add_source({"type": "synthetic", "rate_hz": 100, "targets": 2})
        seen.wait(lambda targets: "service-1" in targets)
        monitor._to_change().remove_source(name)
        seen.wait(lambda targets: len(targets) > 8 and "service-1" not in targets[-8:])
        with pytest.raises(ConfigError, match="source"):
            monitor._to_change().remove_source(name)
        monitor._to_change().add_source({"type": "access_log", "path": str(log)})
        assert monitor._to_change().sources() == ["access_log"]


@pytest.mark.parametrize(
    ("target", "interval_seconds", "message"),
    [
        ("example.org", None, r"url: expected http://host\[:port\]/path or https://..., got 'example.org'"),
        ("http://127.0.0.1:9/", None, "expected a target that is not watched yet, got 'http://127.0.0.1:9/'"),
        ("http://127.0.0.1:9/b", -1, "interval_seconds: expected a number > 0, got -1"),
        ("http://127.0.0.1:9/b", float("nan"), "interval_seconds: expected a number > 0"),
        ("http://joe:p/w@127.0.0.1/", None, "expected http://host"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_the_words_of_the_configuration(
    target: str, interval_seconds: float | None, message: str
) -> None:
    with aiops_nb.watch("http://127.0.0.1:9/", config=ONLY_TARGETS) as monitor:
        with pytest.raises(ConfigError, match=message) as refused:
            monitor.add_target(target, interval_seconds=interval_seconds)
        assert "p/w" not in str(refused.value)
        assert len(monitor.targets()) == 1


def test_a_source_that_cannot_be_is_refused_and_changes_nothing() -> None:
    with aiops_nb.watch("http://127.0.0.1:9/", config=ONLY_TARGETS) as monitor:
        for params in ({"type": "access_log"}, {"type": "udp_listener", "port": 0}, {"type": "nothing"}):
            with pytest.raises(ConfigError, match=r"collectors\[0\]"):
                monitor._to_change().add_source(params)
        assert monitor._to_change().sources() == []


def test_the_yaml_has_what_is_watched_now_and_no_secret() -> None:
    config = ONLY_TARGETS | {"targets": ["http://127.0.0.1:9/gone"]}
    with aiops_nb.watch("http://joe:hidden@127.0.0.1:9/a", config=config) as monitor:
        monitor.add_target("http://127.0.0.1:9/a?token=hidden", interval_seconds=7)
        monitor.remove_target("http://127.0.0.1:9/gone")
        monitor._to_change().add_source({"type": "synthetic"})
        text = monitor.config_yaml()
    assert "hidden" not in text and "gone" not in text
    written = parse_config(text)
    assert [probe.shown_name for probe in written.probes] == monitor.targets()["name"].tolist()
    assert [one.name for one in written.collectors] == ["synthetic"]


def test_recording_is_switched_on_and_off_while_it_runs(service: DemoService, tmp_path: Path) -> None:
    seen = Seen()
    with aiops_nb.watch(service.urls[0], interval_seconds=0.1, config=ONLY_TARGETS, sinks=[seen]) as monitor:
        seen.wait(lambda targets: len(targets) > 2)
        monitor.record_to(tmp_path / "r")
        assert monitor.running and monitor.recording == str(tmp_path / "r")
        seen.wait(lambda targets: len(targets) > 10)
        monitor.record_to(None)
        assert monitor.running and monitor.recording is None
        seen.wait(lambda targets: len(targets) > 2)
        (tmp_path / "file").write_text("")
        with pytest.raises(RecordingError):
            monitor.record_to(tmp_path / "file")
        assert monitor.running and monitor.recording is None
    recording = aiops_nb.open_recording(tmp_path / "r")
    assert len(recording.requests()) > 10
    first = aiops_nb.replay(tmp_path / "r").features()  # complete in itself: nothing of the time before is missing
    assert first.equals(recording.features())
    assert first["time"].min() >= recording.requests()["time"].min().floor("s")


def test_a_replay_has_no_targets_to_change() -> None:
    monitor = aiops_nb.from_synthetic(seconds=2, seed=1)
    with pytest.raises(ConfigError, match="live monitor"):
        monitor.add_target("http://127.0.0.1:9/")
    assert monitor.targets().empty

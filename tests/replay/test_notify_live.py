"""A live monitor notifies; its replay does not, and gives the same alerts."""

from __future__ import annotations

from pathlib import Path

import aiops_nb
from aiops_nb.notify.params import WebhookParams
from tests.ports import free_port
from tests.unit.notify.receiver import receiving


def test_a_dead_target_notifies_once_and_its_replay_nobody(tmp_path: Path) -> None:
    record = tmp_path / "recording"
    target = f"http://127.0.0.1:{free_port()}/"
    with receiving() as receiver:
        notify = {"channels": [{"type": "webhook", "url": f"{receiver.url}/hook"}], "group_wait": "0s"}
        config = {"interval": "200ms", "host_metrics": False, "notify": notify}
        with aiops_nb.watch(target, record=record, config=config) as monitor:
            (first,) = receiver.wait_for(1, timeout_seconds=30)
        (alert, *_) = first.body["alerts"]
        assert (alert["labels"]["alertname"], alert["labels"]["target"]) == ("request_failed", target)
        sent = monitor.notifications()
        assert set(sent["state"]) <= {"sent", "queued"} and sent["alertname"].iloc[0] == "request_failed"
        before = len(receiver.requests)
        replayed = aiops_nb.replay(record)
        assert replayed.alerts().equals(aiops_nb.open_recording(record).alerts())
        assert len(receiver.requests) == before


def test_a_notifier_is_added_to_a_running_monitor_and_refused_by_a_replay(tmp_path: Path) -> None:
    target = f"http://127.0.0.1:{free_port()}/"
    with receiving() as receiver:
        config = {"interval": "200ms", "host_metrics": False}
        with aiops_nb.watch(target, record=tmp_path / "r", config=config) as monitor:
            monitor.add_notifier(WebhookParams(url=f"{receiver.url}/hook", name="chat"))
            receiver.wait_for(1, timeout_seconds=30)
        replayed = aiops_nb.replay(tmp_path / "r")
        try:
            replayed.add_notifier(WebhookParams(url=receiver.url))
        except aiops_nb.AiopsError as problem:
            assert "expected a live monitor" in str(problem)
        else:
            raise AssertionError("a replay must not notify")

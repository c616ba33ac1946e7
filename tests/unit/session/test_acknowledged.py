"""An acknowledgement outlives a stop and restart on the same recording, in the process and in another one."""

from __future__ import annotations

import time

import pytest

from aiops_nb import open_recording, watch
from aiops_nb.alert.answers import RECALLED_NS, Answers, HeldAcknowledgement
from aiops_nb.alert.lifecycle import STOPPED
from aiops_nb.core.types import AlertChange
from aiops_nb.session import earlier_run
from tests.ports import free_port

CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}
LABELS = {"alertname": "a", "target": "t", "severity": "error"}


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("is_long", [False, True], ids=["recording of minutes", "recording of hours"])
def test_an_alert_that_goes_on_is_still_acknowledged(tmp_path, monkeypatch, is_long):
    if is_long:  # so long that its rows are not replayed: the commands alone must say it
        monkeypatch.setattr(earlier_run, "MOST_ROWS", 0)
    url, record = f"http://127.0.0.1:{free_port()}/health", tmp_path / "r"
    with watch(url, record=record, config=CONFIG) as monitor:
        wait_for(monitor.firing)
        monitor.acknowledge("request_failed", note="on it", author="anna")
        wait_for(lambda: monitor.firing()[0].acknowledged)
    with watch(url, record=record, config=CONFIG) as again:
        wait_for(again.firing)
        change = again.firing()[0]
        assert (change.acknowledged_by, change.note) == ("anna", "on it")
        again.unacknowledge("request_failed")
        wait_for(lambda: not again.firing()[0].acknowledged)
    with watch(url, record=record, config=CONFIG) as third:
        wait_for(third.firing)
        assert not third.firing()[0].acknowledged
    assert open_recording(record).alerts()["acknowledged_by"].tolist() == ["anna", "", ""]


def change(state: str, time_ns: int, **more: object) -> AlertChange:
    return AlertChange(time_ns=time_ns, state=state, labels=LABELS, fingerprint="f", pending_at_ns=time_ns, **more)


def test_only_what_begins_again_soon_is_the_same_incident():
    def recalled(at_ns: int) -> bool:
        answers = Answers(acknowledged=[HeldAcknowledgement(fingerprint="f", at_ns=1, author="anna")])
        answers.apply([AlertChange(time_ns=10, state="firing", labels=LABELS, fingerprint="other", pending_at_ns=10)])
        return answers.apply([change("firing", at_ns)])[0].acknowledged

    assert recalled(10 + RECALLED_NS) and not recalled(11 + RECALLED_NS)


def test_one_that_ended_by_itself_is_not_kept():
    answers = Answers()
    answers.apply([change("firing", 1)])
    answers.acknowledge("f", 2, "anna", "")
    assert [one.author for one in answers.acknowledgements()] == ["anna"]
    answers.apply([change("resolved", 3)])
    assert answers.acknowledgements() == ()
    answers.apply([change("firing", 4)])
    answers.acknowledge("f", 5, "ben", "")
    answers.apply([change("resolved", 6, outcome=STOPPED)])
    assert [one.author for one in answers.acknowledgements()] == ["ben"]

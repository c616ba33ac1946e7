"""The buttons of the alert table on a monitor that runs: each answer goes through the stream, and can be undone."""

from __future__ import annotations

import time
from dataclasses import replace

from aiops_nb import watch
from aiops_nb.core.types import AlertChange
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.widgets.alert_rows import alert_rows
from aiops_nb.view.widgets.answers import commands_of, offered
from tests.ports import free_port

CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}


def eventually(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_each_button_answers_and_its_undo_takes_it_back():
    with watch(f"http://127.0.0.1:{free_port()}/<b>health", config=CONFIG) as monitor, monitor.dashboard() as dashboard:
        table = dashboard.screen().alerts

        def row():
            return next((one for one in table.alerts if one["state"] == "firing"), None)

        def press(action):
            assert action in [name for name, _ in row()["actions"]]
            table._handle_custom_msg({"kind": "answer", "id": row()["id"], "action": action}, [])

        assert eventually(row)
        press("acknowledge")
        assert eventually(lambda: row()["state_label"] == "firing, acknowledged")
        press("silence")
        assert eventually(lambda: row()["state_label"] == "firing, silenced")
        assert monitor.firing()[0].acknowledged
        (silence,) = monitor.silences().to_dict("records")
        target = monitor.firing()[0].labels["target"]
        assert silence["matchers"] == f'alertname="request_failed",target="{target}"'
        press("unsilence")
        press("unacknowledge")
        assert eventually(lambda: row()["state_label"] == "firing")
        press("snooze")
        assert eventually(lambda: row()["state_label"] == "firing, silenced")
        assert monitor.silences()["fingerprint"].iloc[-1] == monitor.firing()[0].fingerprint
        table._handle_custom_msg({"kind": "answer", "id": "nosuch", "action": "acknowledge"}, [])
        table._handle_custom_msg({"kind": "answer", "id": row()["id"], "action": "nosuch"}, [])
        assert not dashboard.screen().status.warnings or monitor.running


def test_what_is_over_offers_nothing_and_a_maintenance_window_is_not_ended():
    over = AlertChange(time_ns=0, state="resolved", labels={}, fingerprint="f", pending_at_ns=0)
    assert offered(over) == []
    assert commands_of("nosuch", over) == []


def test_only_what_nobody_answered_is_counted_in_the_title_and_what_reached_nobody_is_marked():
    def row_of(undelivered=None, **marks):
        store = ViewStore()
        labels = {"alertname": "http_5xx", "severity": "error", "target": "shop"}
        change = AlertChange(time_ns=9, state="firing", labels=labels, fingerprint="f", pending_at_ns=5, starts_at_ns=9)
        store.alerts.take(replace(change, **marks))
        store.undelivered = undelivered or {}
        return alert_rows(store)[0]

    assert row_of()["unanswered"]
    for marks in ({"silenced_by": ("s",)}, {"acknowledged_at_ns": 9}, {"inhibited_by": "x"}):
        assert not row_of(**marks)["unanswered"]
    assert row_of(state="nodata")["unanswered"]
    marked = row_of({("f", 5): "slack: <b>403</b>"})
    assert marked["state_label"] == "firing, not delivered"
    assert any(fact.startswith("Not delivered: slack: ") for fact in marked["facts"])
    assert row_of({("f", 4): "slack: 403"})["state_label"] == "firing"  # an earlier episode

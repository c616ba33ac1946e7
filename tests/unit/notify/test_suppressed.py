"""Which alert changes make a message: those that nobody has silenced, inhibited or acknowledged."""

from dataclasses import replace

import pytest

from aiops_nb.core.types import AlertChange
from aiops_nb.notify.message import message_of

LABELS = {"alertname": "http_5xx", "severity": "error", "target": "shop"}
FIRING = AlertChange(time_ns=9, state="firing", labels=LABELS, fingerprint="f", pending_at_ns=5, starts_at_ns=9)


@pytest.mark.parametrize(
    ("changed", "is_message"),
    [
        ({}, True),
        ({"silenced_by": ("s1",)}, False),
        ({"inhibited_by": "outage of several targets"}, False),
        ({"acknowledged_at_ns": 10, "acknowledged_by": "anna"}, False),
        ({"flapping": True}, True),
        ({"update": "unsilenced"}, True),
        ({"state": "resolved", "ends_at_ns": 12, "silenced_by": ("s1",)}, True),
    ],
)
def test_who_is_notified(changed, is_message):
    assert (message_of(replace(FIRING, **changed)) is not None) is is_message

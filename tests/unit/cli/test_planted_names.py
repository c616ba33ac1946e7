"""Names from outside cannot move the cursor, set a title or forge a line of the command line's output."""

from __future__ import annotations

import pytest

from aiops_nb.cli.app import one_line
from aiops_nb.cli.output import alert_text
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.types import AlertChange

PLANTED = ["\x1b[2J", "\x1b]0;title\x07", "\r\nforged line", "\n", "\u202eesrever", "\x9b2J", "\x00", "\t"]


@pytest.mark.parametrize("text", PLANTED, ids=repr)
@pytest.mark.parametrize("field", ["alertname", "severity", "target", "metric", "summary", "inhibited_by"])
def test_an_alert_is_one_printable_line(field: str, text: str) -> None:
    labels = {"alertname": "a", "severity": "error", "target": "t", "metric": "m"}
    labels |= {field: text} if field in labels else {}
    texts = {field: text} if field not in labels else {}
    change = AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0, **texts)
    assert alert_text(change).isprintable()


@pytest.mark.parametrize("text", PLANTED, ids=repr)
def test_an_error_is_one_printable_line(text: str) -> None:
    assert one_line(AiopsError(f"a{text}b")).isprintable()

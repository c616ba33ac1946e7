"""Pictures of features and alerts: they say what they show, and run no script."""

from __future__ import annotations

import pytest

import aiops_nb
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError


@pytest.fixture(scope="module")
def monitor():
    fault = Fault(kind="outage", start_seconds=60, length_seconds=5)
    return aiops_nb.from_synthetic(100, seed=7, targets=["/a<script>", "/b"], hosts=1, faults=[fault])


def test_latency_is_drawn_by_default_with_a_band(monitor):
    html = monitor.plot()._repr_html_()
    assert html.count("<svg") == 2 and "p95 latency" in html and 'fill-opacity="0.16"' in html
    assert "<script" not in html and "&lt;script" in html


def test_features_targets_and_samples_are_chosen(monitor, tmp_path):
    assert monitor.plot("rate_hz", targets="/b").html.count("<svg") == 1
    assert monitor.plot(table="samples").html.count("<svg") >= 5
    assert "No rows" in monitor.plot(start="tomorrow").html
    assert "<svg" in monitor.plot("error_ratio").save(tmp_path / "p.html").read_text(encoding="utf-8")


def test_every_alert_can_be_drawn(monitor):
    alerts = monitor.alerts()
    assert len(alerts)
    for number, name in enumerate(alerts.alertname):
        html = monitor.plot(alert=number).html
        assert "<svg" in html and name in html


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"feature": "rate_hx"}, "did you mean rate_hz"),
        ({"targets": "nosuch"}, "expected a known target, got 'nosuch'"),
        ({"table": "clients"}, "requests or samples"),
        ({"alert": 99}, "a row number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(monitor, options, said):
    with pytest.raises(ConfigError) as raised:
        monitor.plot(**options)
    assert said in str(raised.value)

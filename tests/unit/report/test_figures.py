"""Charts hold what was computed, also when there is nothing or too much of it."""

import json
import re

import pandas as pd
import pytest

from aiops_nb import open_recording
from aiops_nb.demo import demo_recording
from aiops_nb.report import figures
from aiops_nb.report.evidence import evidence_html, evidence_rows

END = "2026-11-23T08:09:00Z"


@pytest.fixture(scope="module")
def tables():
    recording = open_recording(demo_recording())
    return {name: getattr(recording, name)(end=END) for name in ("requests", "features", "scores", "alerts", "samples")}


def test_nothing_recorded_is_said(tables):
    empty = {name: table[:0] for name, table in tables.items()}
    pages = (
        figures.latency_charts(empty["features"], empty["scores"], empty["alerts"]),
        figures.rate_charts(empty["features"], empty["alerts"]),
        figures.sample_charts(empty["samples"], empty["alerts"]),
    )
    assert all("No data for this chart." in page.text for page in pages)


def test_a_series_for_each_target_and_origin(tables):
    lines = figures.with_series(pd.concat([tables["features"], tables["features"].assign(origin="traffic")]))
    assert len(figures.busiest(lines)) == 8
    assert "http://127.0.0.1:8765/health (traffic)" in figures.busiest(lines)


def test_many_targets_are_bounded_to_the_busiest(tables):
    health = tables["features"][tables["features"]["target"].str.endswith("/health")]
    many = pd.concat([health.assign(target=f"t{i}", count=health["count"] * i) for i in range(40)])
    assert figures.busiest(figures.with_series(many)) == [f"t{i}" for i in range(39, 27, -1)]


def test_a_name_with_markup_cannot_leave_its_chart(tables):
    evil = "</script><script>alert(1)</script>$$x$$ @time{safe}"
    features, scores = (tables[name].assign(target=evil) for name in ("features", "scores"))
    alerts = tables["alerts"].assign(target=evil, summary=evil, alertname="latency_p95_anomaly")
    text = figures.latency_charts(features, scores, alerts).text
    assert text.count("<script") == text.count("</script>") == 2
    data = json.loads(re.search(r'class="aiops-chart-data">(.*?)</script>', text, re.DOTALL)[1])
    templates = [text for path, text in strings(data) if "tooltips" in path]
    assert templates and not any("alert(1)" in template for template in templates), "a name is never a template"
    titles = [model["attributes"]["text"] for model in models(data) if model.get("name") == "PlainText"]
    assert titles == [f"{evil}: latency"], "a title is no mathematics"


def models(part):
    """Every model of a Bokeh document."""
    if isinstance(part, dict) and "attributes" in part:
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from models(value)


def strings(part, path=()):
    """Every text of a JSON document and the keys that lead to it."""
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from strings(value, (*path, key))
    elif isinstance(part, list):
        for value in part:
            yield from strings(value, path)


def test_the_band_has_an_end_where_the_detector_gives_one(tables):
    band = figures.with_band(tables["scores"])
    assert (band["lower"].notna() == band["upper"].notna()).all()
    assert band["lower"].notna().any()


def test_evidence_of_a_rule_are_requests_the_last_of_them_bad(tables):
    alert = tables["alerts"].query("alertname == 'http_5xx'").iloc[0]
    rows = evidence_rows(alert, tables["requests"], tables["scores"])
    assert rows["time"].iloc[-1] == alert["starts_at"]
    assert (rows["status_code"].tail(3) >= 500).all()


def test_evidence_says_why_a_request_failed(tables):
    alerts = tables["alerts"].query("alertname == 'http_5xx'")
    requests = tables["requests"].assign(error_detail="<b>status in 200..299</b>, got 503")
    text = evidence_html(alerts, requests, tables["scores"]).text
    assert "&lt;b&gt;status in 200..299&lt;/b&gt;, got 503" in text
    assert "<b>status" not in text


def test_evidence_of_a_detector_are_scores_the_last_of_them_anomalous(tables):
    alert = tables["alerts"].query("alertname == 'error_ratio_anomaly'").iloc[0]
    rows = evidence_rows(alert, tables["requests"], tables["scores"])
    assert rows["time"].iloc[-1] == alert["starts_at"]
    assert rows["is_anomaly"].iloc[-1]
    assert (rows["score"] > rows["threshold"]).iloc[-1]


def test_evidence_of_a_group_are_rows_of_its_members(tables):
    group = tables["alerts"].query("target == '*'").iloc[0]
    assert group["members"]
    rows = evidence_rows(group, tables["requests"], tables["scores"])
    assert set(rows["target"]) <= set(group["members"])
    assert len(rows) > 0


def test_evidence_is_bounded_and_says_so(tables):
    many = pd.concat([tables["alerts"]] * 20)
    text = evidence_html(many, tables["requests"], tables["scores"]).text
    assert text.count("<details") == 40
    assert f"{many['starts_at'].notna().sum() - 40} more alerts are not shown." in text

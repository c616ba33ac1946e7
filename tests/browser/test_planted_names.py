"""Names that a stranger put into a recording are text in a report: no script of theirs runs, whatever is hovered."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_nb import open_recording
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.engine.commands import Start, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.record.recorder import Recorder
from aiops_nb.report import run_report
from aiops_nb.rules.row.params import RowRuleParams

pytestmark = pytest.mark.browser

SECOND_NS = 1_000_000_000
BEGIN_NS = 1_780_000_000 * SECOND_NS
IMAGE = "<img src=x onerror='window.planted=1'>"
SCRIPT = "</script><script>window.planted=1</script>"
TARGETS = [f"/{IMAGE}", f"/{SCRIPT}", "/@time{safe}@series{safe}", "/$$x$$ \\(y\\)", f"/@summary{{safe}} {IMAGE}"]
METRICS = [f"{IMAGE}_ratio", f"@value{{safe}}{SCRIPT}"]


def record_planted(path: Path) -> None:
    rules = (RowRuleParams(alertname=f"failed {IMAGE}{SCRIPT}", condition="failed", severity="critical"),)
    pipeline = PipelineParams(row_rules=rules, grouping=None)
    with Recorder(path) as recorder:
        start = encode_command(Start(pipeline=pipeline, sources=("log", "host")))
        recorder.write(control_batch("monitor", "command", BEGIN_NS, start))
        for second in range(90):
            recorder.write(_requests(BEGIN_NS + second * SECOND_NS, failed=30 <= second < 45))
            recorder.write(_samples(BEGIN_NS + second * SECOND_NS))


def _requests(time_ns: int, *, failed: bool):
    columns = {
        "time": [time_ns + place for place in range(len(TARGETS))],
        "origin": "traffic",
        "target": TARGETS,
        "method": "GET",
        "status_code": None if failed else 200,
        "error_type": "connect" if failed else None,
        "error_detail": f"{IMAGE}{SCRIPT}" if failed else None,
        "client_ip": IMAGE,
        "duration_seconds": 0.1 + time_ns / SECOND_NS % 7 / 100,
    }
    rows = len(TARGETS)
    return make_batch(
        "requests", "log", {name: v if isinstance(v, list) else [v] * rows for name, v in columns.items()}
    )


def _samples(time_ns: int):
    columns = {"time": [time_ns, time_ns + 1], "target": [IMAGE, SCRIPT], "metric": METRICS, "value": [0.5, 0.7]}
    return make_batch("samples", "host", columns)


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    record_planted(folder / "recording")
    assert len(open_recording(folder / "recording").alerts()) >= len(TARGETS)
    html = run_report(folder / "recording", out=folder / "out").html
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.complaints, page.dialogs = [], []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(html.as_uri())
    page.wait_for_function("() => window.Bokeh && Bokeh.documents.length >= 2")
    page.wait_for_function("() => Bokeh.documents.every(doc => doc.is_idle)")
    yield page
    context.close()


def test_nothing_planted_runs_when_every_chart_is_hovered(page):
    charts = page.locator(".bk-Figure")
    shown = 0
    for place in range(charts.count()):
        charts.nth(place).scroll_into_view_if_needed()
        box = charts.nth(place).bounding_box()
        for part in (0.2, 0.35, 0.5):
            page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.5, steps=3)
            page.wait_for_timeout(50)
            shown += page.locator(".bk-Tooltip:visible").count()
    assert shown > 0, "tooltips are there"
    assert page.evaluate("() => window.planted") is None
    assert page.complaints == [], "the policy had nothing to stop"
    assert page.dialogs == []


def test_planted_names_are_read_as_text(page):
    text = page.locator("main").inner_text()
    assert IMAGE in text
    assert SCRIPT in text
    assert page.locator("main img").count() == 0


def test_markup_that_would_reach_the_page_is_stopped_by_its_policy(page):
    page.evaluate(
        "() => { const part = document.createElement('div'); part.innerHTML ="
        " \"<img src=x onerror='window.planted=1'>\"; document.body.append(part);"
        " const script = document.createElement('script'); script.textContent = 'window.planted=1';"
        " document.body.append(script); }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("() => window.planted") is None

"""A report's page in a real Chromium without a network: it shows its charts, and they zoom."""

from __future__ import annotations

import pytest

from aiops_nb.demo import demo_recording
from aiops_nb.report import run_report

pytestmark = pytest.mark.browser

CHARTS = "roots().flatMap(root => root.children)"
RANGES = f"() => Bokeh.documents[0].{CHARTS}.map(chart => [chart.x_range.start, chart.x_range.end])"
LINES = f"() => Bokeh.documents.flatMap(doc => doc.{CHARTS}).map(chart => chart.renderers.length)"


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    path = run_report(demo_recording(), out=tmp_path_factory.mktemp("report"), end="2026-11-23T08:12:00Z").html
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_function("() => window.Bokeh && Bokeh.documents.length === 3")
    yield page
    context.close()


def test_every_section_has_charts_with_something_drawn(page):
    page.wait_for_function("() => Bokeh.documents.every(doc => doc.is_idle)")
    drawn = page.evaluate(LINES)
    assert len(drawn) >= 4 + 2 + 4
    assert min(drawn) >= 1
    assert page.locator(".bk-Figure").count() == len(drawn)
    assert page.complaints == []


def test_nothing_but_the_file_itself_is_asked_for(page):
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_no_chart_and_no_table_is_cut_off(page):
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"]


def test_dragging_zooms_all_charts_of_a_section(page):
    before = page.evaluate(RANGES)
    chart = page.locator(".bk-Figure").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    y = box["y"] + box["height"] * 0.6
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => Bokeh.documents[0].roots()[0].children[0].x_range.start > {before[0][0]}")
    after = page.evaluate(RANGES)
    assert len({tuple(ends) for ends in after}) == 1
    assert after[0][1] - after[0][0] < 0.5 * (before[0][1] - before[0][0])

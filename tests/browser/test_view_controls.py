"""The page changes what is watched, downloads what it shows, and gives a selected range to Python."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

WATCH = """
import aiops_nb
from aiops_nb.demo import start_demo_service
demo = start_demo_service(kinds=())
monitor = aiops_nb.watch(demo.urls[0], interval_seconds=0.2, config={"host_metrics": False})
dashboard = monitor.dashboard()
dashboard
"""
URL = "print(demo.urls[1])"
SELECTED = "print(len(dashboard.selection.targets), len(dashboard.selected_frame()) > 0)"
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
SAID = "(text) => [...document.querySelectorAll('.aiops-answer')].some((one) => one.textContent.includes(text))"
TARGETS = "(text) => document.querySelector('.aiops-drawer summary')?.textContent === text"
ROWS = "() => Bokeh.documents.at(-1).get_model_by_name('requests-0')?.data.time.length > 5"
HALF_A_CHART = ROWS.replace("> 5", "> 60")


@pytest.fixture(scope="module")
def shown(open_shared: Opener) -> Notebook:
    notebook = open_shared([WATCH, URL, SELECTED])
    notebook.run_cell(0)
    notebook.wait(DRAWN)
    return notebook


def test_a_url_is_typed_watched_paused_and_removed(shown: Notebook) -> None:
    url, box = shown.print_of(1).strip(), shown.page.get_by_label("URL to watch")
    box.fill("ftp://nowhere")
    box.press("Enter")
    shown.wait(SAID, arg="expected http://host[:port]/path")
    box.fill(url)
    box.press("Enter")
    shown.wait(TARGETS, arg="Targets: 2")
    shown.page.locator(".aiops-drawer summary").first.click()
    shown.page.get_by_role("button", name="Pause").last.click()
    shown.wait(TARGETS, arg="Targets: 2, 1 paused")
    shown.page.get_by_role("button", name="Remove").last.click()
    shown.wait(TARGETS, arg="Targets: 1")
    shown.page.locator(".aiops-drawer summary").first.click()


def test_what_is_shown_is_downloaded_by_the_browser(shown: Notebook) -> None:
    shown.wait(ROWS)
    shown.page.locator(".aiops-drawer summary").last.click()
    with shown.page.expect_download() as waiting:
        shown.page.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename == "requests.csv"
    with Path(waiting.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5 and rows[0]["status_code"] == "200"
    shown.page.locator(".aiops-drawer summary").last.click()


def test_a_range_drawn_over_a_chart_is_the_selection(shown: Notebook) -> None:
    shown.wait(HALF_A_CHART)  # the first rows of a run are at the left end of its charts
    chart = shown.page.locator(".aiops-latency .aiops-cell").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    x, y, width = box["x"], box["y"] + box["height"] / 2, box["width"]
    shown.page.mouse.move(x + 0.3 * width, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 0.7 * width, y, steps=8)
    shown.page.mouse.up()
    shown.page.locator(".aiops-selection", has_text="Selected: ").wait_for()
    assert shown.print_of(2) == "1 True\n"

"""The dashboard over a real monitor of a real service, in a real JupyterLab."""

from __future__ import annotations

import json
import statistics

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

MOST_BYTES = 300_000
WATCH = """
import json, threading
import aiops_nb
from aiops_nb.demo import start_demo_service
demo = start_demo_service(kinds=())
monitor = aiops_nb.watch(demo.urls, interval_seconds=0.2)
"""
SHOW = "dashboard = monitor.dashboard()\ndashboard"
LOOK = """
from ipywidgets.widgets.widget import _instances
pumps = sum(thread.name == "aiops-view-pump" for thread in threading.enumerate())
print(json.dumps([pumps, len(_instances), monitor.running]))
"""
THRESHOLDS = """
scores = monitor.scores()
print(json.dumps(scores[scores.alertname == "latency_p95_anomaly"].threshold.unique().tolist()))
"""
BUSY = """
import time
until, count = time.monotonic() + 5, 0
while time.monotonic() < until:
    count += 1
print("over")
"""
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
# What a person sees of target 0: newest row, end of the axis, where the rows begin, how many, width of the frame.
SEEN = """() => {
  const doc = window.Bokeh?.documents?.at(-1);
  const [rows, range, plot] = ['requests-0', 'time', 'latency-0'].map((name) => doc?.get_model_by_name(name));
  if (!rows || !plot?.inner_width) return undefined;
  const time = Array.from(rows.data.time);
  return {newest: time.at(-1), oldest: time[0], count: time.length, start: range.start, end: range.end,
          width: plot.inner_width, line: doc.get_model_by_name('target-0').data.p95.length};
}"""
STATE = "() => document.querySelector('.aiops-panel .aiops-state .aiops-value')?.textContent"
NEWEST_ABOVE = f"(t) => ({SEEN})()?.newest > t"
# Time between the end of a request and the frame in which it is seen first, ms, for each row.
LAGS = """(count) => new Promise((resolve) => {
  const lags = [];
  let last = Infinity;
  const look = () => {
    const rows = Bokeh.documents.at(-1).get_model_by_name('requests-0').data.time;
    for (const time of rows) if (time > last) lags.push(Date.now() - time);
    last = Math.max(...rows);
    if (lags.length < count) requestAnimationFrame(look); else resolve(lags);
  };
  requestAnimationFrame(look);
})"""


@pytest.fixture(scope="module")
def shown(open_shared: Opener) -> Notebook:
    notebook = open_shared([WATCH, SHOW, LOOK, BUSY, THRESHOLDS])
    for cell in (0, 1):
        notebook.run_cell(cell)
    notebook.wait(DRAWN)
    notebook.wait(f"() => ({SEEN})()?.line > 3")
    return notebook


def press(notebook: Notebook, text: str) -> None:
    notebook.page.locator("button.jupyter-button, button.jupyter-widgets", has_text=text).first.click()


def test_what_can_be_moved_has_a_name_for_screen_readers(shown: Notebook) -> None:
    shown.wait("() => document.querySelector('.noUi-handle')?.ariaLabel?.startsWith('Latency alert threshold')")


def test_showing_the_slider_moves_no_threshold(shown: Notebook) -> None:
    shown.wait("() => document.querySelector('.widget-hslider .widget-readout')?.textContent === '6.0'")
    shown.run_cell(4)
    assert json.loads(shown.print_of(4)) == [6.0]


def test_it_draws_up_to_the_newest_row(shown: Notebook) -> None:
    seen = shown.page.evaluate(SEEN)
    assert seen["width"] > 100
    assert seen["count"] > 5
    assert seen["start"] < seen["newest"] <= seen["end"]
    assert shown.page.evaluate(STATE) == "Live"


def test_a_request_is_seen_within_half_a_second(shown: Notebook) -> None:
    lags = shown.page.evaluate(LAGS, 40)
    median = statistics.median(lags)
    print(f"row to browser: median {median:.0f} ms, slowest {max(lags):.0f} ms")
    assert median < 2000  # a machine shared with other work; benchmarks/dashboard_lag.py measures


def test_a_reloaded_page_is_whole_and_live(shown: Notebook) -> None:
    shown.save()
    before = shown.page.evaluate(SEEN)
    shown.load()
    shown.wait(DRAWN)
    after = shown.wait(SEEN)
    assert after["oldest"] == before["oldest"]
    assert after["count"] >= before["count"]
    shown.wait(NEWEST_ABOVE, arg=after["newest"])


def test_running_the_cell_again_leaves_one_pump_and_one_document(shown: Notebook) -> None:
    _, widgets, _ = json.loads(shown.print_of(2))
    for _ in range(3):
        newest = shown.wait(SEEN)["newest"]
        shown.run_cell(1)
        shown.wait(NEWEST_ABOVE, arg=newest)
    shown.wait("() => Bokeh.documents.length === 1")
    pumps, widgets_after, _ = json.loads(shown.print_of(2))
    assert pumps == 1
    assert widgets_after <= widgets


def test_the_saved_notebook_is_small_and_nothing_left_the_machine(shown: Notebook) -> None:
    assert shown.save() < MOST_BYTES
    assert shown.foreign_requests() == []


def test_stop_and_start(shown: Notebook) -> None:
    press(shown, "Stop")
    shown.wait(f"() => ({STATE})() === 'Stopped'")
    pumps, _, running = json.loads(shown.print_of(2))
    assert (pumps, running) == (0, False)
    newest = shown.page.evaluate(SEEN)["newest"]
    press(shown, "Start")
    shown.wait(f"() => ({STATE})() === 'Live'")
    shown.wait(NEWEST_ABOVE, arg=newest)


def test_it_follows_the_theme_both_ways(shown: Notebook) -> None:
    colour = "() => Bokeh.documents.at(-1).get_model_by_name('latency-0').title.text_color"
    light = shown.page.evaluate(colour)
    shown.theme("JupyterLab Dark")
    shown.wait(f"(light) => ({colour})() !== light", arg=light)
    shown.theme("JupyterLab Light")
    shown.wait(f"(light) => ({colour})() === light", arg=light)


def test_it_goes_on_while_a_cell_is_busy(shown: Notebook) -> None:
    shown.run_cell(3)
    busy = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    shown.wait(busy)
    for _ in range(3):
        shown.wait(NEWEST_ABOVE, arg=shown.page.evaluate(SEEN)["newest"])
    assert shown.page.evaluate(busy)
    assert shown.output(3) == "over\n"


def test_another_span_is_drawn(shown: Notebook) -> None:
    press(shown, "15 min")
    seen = shown.wait(SEEN)
    shown.wait(NEWEST_ABOVE, arg=seen["newest"])
    assert shown.page.evaluate(SEEN)["oldest"] <= seen["oldest"]


def test_a_restarted_kernel_is_reported_in_words(open_notebook: Opener) -> None:
    notebook = open_notebook([WATCH, SHOW])
    for cell in (0, 1):
        notebook.run_cell(cell)
    notebook.wait(DRAWN)
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.wait(f"() => ({STATE})() === 'Disconnected'")
    notebook.wait(
        "() => document.querySelector('.aiops-note:not([hidden])')?.textContent.includes('Run the cells again')"
    )

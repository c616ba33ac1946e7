"""LiveFigure in a real JupyterLab: drawn, streamed, whole after a reload, right in a second view."""

from __future__ import annotations

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

FIGURE = """
import threading
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure
from aiops_nb.view.widgets.live_figure import LiveFigure
rows = ColumnDataSource({"x": [0.0], "y": [0.0]}, name="rows")
plot = figure(height=200, sizing_mode="stretch_width", x_range=Range1d(0, 1), toolbar_location=None)
plot.line("x", "y", source=rows)
live = LiveFigure([plot])
live.set_live(True)
ended = threading.Event()
def pump():
    x = 0
    while not ended.wait(0.25):
        x += 1
        with live.one_message():
            rows.stream({"x": [float(x)], "y": [float(x % 7)]}, rollover=50)
            plot.x_range.update(start=x - 50, end=x)
threading.Thread(target=pump, daemon=True).start()
live
"""
LAST_X = """() => {
  const doc = window.Bokeh?.documents?.at(-1);
  const source = doc?.get_model_by_name('rows');
  return source ? Array.from(source.data.x).at(-1) : undefined;
}"""
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
NOTE = "() => document.querySelector('.aiops-note:not([hidden])')?.textContent"


def wait_for_x_above(notebook: Notebook, x: float) -> None:
    notebook.wait(f"(x) => ({LAST_X})() > x", arg=x)


@pytest.fixture(scope="module")
def streaming(open_shared: Opener) -> Notebook:
    notebook = open_shared([FIGURE])
    notebook.run_all()
    notebook.wait(DRAWN)
    wait_for_x_above(notebook, 1)
    return notebook


def test_the_script_comes_from_the_installed_bokeh_by_url(streaming: Notebook) -> None:
    assert streaming.page.evaluate("() => window.__aiops_nb.loaded_by") == "url"
    assert streaming.foreign_requests() == []


def test_a_second_view_shows_the_same_and_goes_on(streaming: Notebook) -> None:
    before = streaming.page.evaluate(DRAWN)
    streaming.command("notebook:create-output-view")
    streaming.wait(f"(n) => ({DRAWN})() === n + 1", arg=before)
    both = "() => Bokeh.documents.map((doc) => Array.from(doc.get_model_by_name('rows').data.x).at(-1))"
    ends = streaming.page.evaluate(both)
    assert len(ends) == before + 1 and len(set(ends)) == 1
    wait_for_x_above(streaming, ends[-1])


def test_a_lost_patch_is_mended(streaming: Notebook) -> None:
    x = streaming.page.evaluate(LAST_X)
    lose_one = """() => {
      const original = JSON.parse;
      JSON.parse = (text, ...rest) => {
        const value = original(text, ...rest);
        const patch = value?.data?.content;
        if (patch?.kind === "patch") { JSON.parse = original; patch.seq += 1; }
        return value;
      };
    }"""
    streaming.page.evaluate(lose_one)
    streaming.wait("() => window.__aiops_nb.resyncs > 0")
    wait_for_x_above(streaming, x + 4)


def test_without_our_server_the_kernel_sends_the_script(open_notebook: Opener) -> None:
    notebook = open_notebook([FIGURE])
    notebook.page.route("**/aiops_nb/bokeh/**", lambda route: route.fulfill(status=404))
    notebook.run_all()
    notebook.wait(DRAWN, 40)
    wait_for_x_above(notebook, 1)
    assert notebook.page.evaluate("() => window.__aiops_nb.loaded_by") == "comm"


def test_a_restarted_kernel_is_reported_in_the_page(open_notebook: Opener) -> None:
    notebook = open_notebook([FIGURE])
    notebook.run_all()
    notebook.wait(DRAWN)
    wait_for_x_above(notebook, 1)
    notebook.page.evaluate("() => void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    assert "run the cells again" in notebook.wait(NOTE, 30).lower()


PANEL = """
from aiops_nb.view.widgets.panels import Panel
evil = "<img src=x onerror='window.reached = true'>"
words = ("id", "state", "state_label", "severity", "since", "target", "full_target", "name", "summary")
panel = Panel(kind="alerts")
lists = {"facts": [evil], "evidence": [[evil] * 3], "actions": [[evil, evil]]}
panel.alerts = [{word: evil for word in (*words, "answer")} | lists]
status = Panel(kind="status", state="stopped", newest=evil, warnings=[evil])
status.tiles = [{"label": evil, "value": evil, "unit": evil, "note": evil, "tone": "ok"}]
display(status, panel)
"""


def test_text_from_outside_is_not_read_as_markup(open_notebook: Opener) -> None:
    notebook = open_notebook([PANEL])
    notebook.run_all()
    row = notebook.page.locator("tr.aiops-alert")
    row.click()
    notebook.page.locator("tr.aiops-evidence").wait_for()
    assert "<img" in row.inner_text()
    assert notebook.page.locator(".aiops-panel img").count() == 0
    assert notebook.page.evaluate("() => window.reached") is None


ALERT = """
import ipywidgets
from aiops_nb.view.widgets.panels import Panel
from aiops_nb.view.widgets.self_panel import SelfPanel
words = ("id", "severity", "since", "target", "full_target", "summary")
panel = Panel(kind="alerts")
states = {"state": "firing", "state_label": "firing"}
lists = {"facts": [], "evidence": [], "actions": []}
panel.alerts = [{word: "some words" for word in words} | states | {"name": "http_5xx"} | lists]
itself = SelfPanel()
display(ipywidgets.VBox([panel, itself]))
"""
COLUMNS = "() => [...document.querySelectorAll('tr.aiops-alert td')].map((cell) => cell.getBoundingClientRect().width)"
EDGES = """() => [...document.querySelectorAll('.aiops-alerts tr')].map(
  (row) => row.lastChild.getBoundingClientRect().right)"""


def test_a_narrow_page_leaves_room_for_what_happened(open_notebook: Opener) -> None:
    notebook = open_notebook([ALERT])
    notebook.page.set_viewport_size({"width": 1200, "height": 900})  # with the file browser open
    notebook.run_all()
    notebook.page.locator("tr.aiops-alert").click()
    notebook.page.locator("tr.aiops-evidence").wait_for()
    widths = notebook.page.evaluate(COLUMNS)
    assert widths[-1] > 0.3 * sum(widths)
    assert "http_5xx: some words" in notebook.page.locator("td.aiops-summary").inner_text()
    assert len({round(edge) for edge in notebook.page.evaluate(EDGES)}) == 1


def test_a_monitor_that_said_nothing_of_itself_has_no_line(open_notebook: Opener) -> None:
    notebook = open_notebook([ALERT, "itself.sentence = '20 rows/s'"])
    notebook.run_cell(0)
    line = notebook.page.locator(".aiops-self summary")
    line.wait_for(state="attached")
    notebook.page.locator("tr.aiops-alert").wait_for()
    assert not line.is_visible()
    notebook.run_cell(1)
    line.wait_for(state="visible")

"""LiveFigure in a real JupyterLab: drawn, streamed, whole after a reload, right in a second view."""

from __future__ import annotations

import json

import pytest
from conftest import OpenNotebook
from lab import Notebook

pytestmark = pytest.mark.browser

FIGURE = """
import threading, time
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure
from aiops_nb.view.live_figure import LiveFigure
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
COUNT = "print(live.sent_patches, live.comm is not None)"
LAST_X = """() => {
  const doc = window.Bokeh?.documents?.at(-1);
  const source = doc?.get_model_by_name('rows');
  return source ? Array.from(source.data.x).at(-1) : undefined;
}"""
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"


def last_x(notebook: Notebook) -> float:
    return float(notebook.page.evaluate(LAST_X))


def wait_for_x_above(notebook: Notebook, x: float, timeout_seconds: float = 20.0) -> None:
    notebook.wait(f"(x) => ({LAST_X})() > x", timeout_seconds, x)


def test_it_streams_is_whole_after_a_reload_and_right_in_a_second_view(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([FIGURE, COUNT])
    notebook.run_all()
    notebook.wait(DRAWN)
    wait_for_x_above(notebook, 5)
    assert notebook.page.evaluate("() => window.__aiops_nb.loaded_by") == "url"
    notebook.save()
    x = last_x(notebook)
    notebook.load()
    notebook.wait(DRAWN)
    wait_for_x_above(notebook, x)
    notebook.command("notebook:create-output-view")
    notebook.wait(f"() => ({DRAWN})() === 2")
    both = "() => Bokeh.documents.map((d) => Array.from(d.get_model_by_name('rows').data.x).at(-1))"
    first, second = notebook.page.evaluate(both)
    assert first == second
    wait_for_x_above(notebook, second)
    notebook.page.screenshot(path="/tmp/shots/live_figure.png")
    print(json.dumps(notebook.page.evaluate("() => window.__aiops_nb")), notebook.foreign_requests())
    assert not notebook.foreign_requests()

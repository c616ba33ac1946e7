"""Names made to be read as markup are text everywhere on the dashboard, in a real JupyterLab."""

from __future__ import annotations

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

# Every name, label and text from outside holds something that one of the layers could interpret.
PLANTED = """
import numpy as np
import pandas as pd
from dataclasses import replace
from aiops_nb.core.schemas import SELF_SOURCE, make_batch
from aiops_nb.core.types import AlertChange, FeatureTable, Item, NS_PER_SECOND, SeriesKey, Step, Tick
from aiops_nb.monitor.monitor import Monitor
RUN = "window.reached = true"
COLUMNS = ("source", "reason", "detail", "line")
EVIL = [
    f"/<img src=x onerror='{RUN}'>",
    "/@time{safe}",
    f"/@{{<img src=x onerror='{RUN}'>}}{{safe}}",
    "/$name$$x^2$$",
    f"/</script><script>{RUN}</script>",
    f"/`${{{RUN}}}`{{{{ 7 * 7 }}}}",
]
T0 = 1_780_000_000 * NS_PER_SECOND
NAMES = ("count", "error_ratio", "duration_p95_seconds")

def steps():
    keys = tuple(SeriesKey(one, origin="traffic") for one in EVIL)
    hosts = tuple(SeriesKey(one, metric=metric) for one in EVIL[:3] for metric in ("cpu_ratio", "memory_ratio"))
    n = len(EVIL)
    for second in range(60):
        at = T0 + second * NS_PER_SECOND
        columns = {"time": [at] * n, "target": EVIL, "origin": "traffic", "duration_seconds": [0.1] * n}
        yield Step(Item(0, "requests", EVIL[0], make_batch("requests", "test", columns | {"status_code": [503] * n})))
        ticks = [Tick(FeatureTable("requests", at, keys, NAMES, np.stack([np.ones(n), np.ones(n), np.full(n, 0.1)])))]
        ticks.append(Tick(FeatureTable("samples", at, hosts, ("value",), np.full((1, len(hosts)), 0.5))))
        beat = make_batch("control", "test", {"time": [at], "kind": "heartbeat", "body": [""]})
        yield Step(Item(0, "control", "test", beat), ticks, changes(at) if second == 50 else [])
    counts = {"time": [at] * n, "target": EVIL,
              "metric": ["rejected_" + one for one in EVIL], "value": [3.0] * n}
    yield Step(Item(0, "samples", SELF_SOURCE, make_batch("samples", SELF_SOURCE, counts)))

def changes(at):
    for number, one in enumerate(EVIL):
        labels = {"alertname": one, "severity": one if number else "error", "target": one, "detector": one}
        change = AlertChange(time_ns=at, state="firing", labels=labels, fingerprint=one, pending_at_ns=at,
                             starts_at_ns=at, value=1.0, summary=one, inhibited_by=one if number == 4 else "")
        yield change
        yield replace(change, labels={**labels, "client": one}, fingerprint="client" + one, outcome=one)

class Planted(Monitor):
    running, ended, replays = True, False, False
    def recent(self): return list(steps())
    def warnings(self): return list(EVIL)
    def rejected(self): return pd.DataFrame([dict.fromkeys(COLUMNS, one) for one in EVIL])

dashboard = Planted(make_run=lambda deliver: None).dashboard()
dashboard
"""
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
TITLES = """() => [...Bokeh.documents.at(-1)._all_models.values()]
  .filter((model) => model.type === 'Title').map((model) => model.text).filter((text) => text.startsWith('/'))"""
# Elements that no text of ours makes, in the dashboard, its tooltips and their shadow roots.
FOREIGN = """() => {
  const found = [];
  const look = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.matches('img, iframe, object, embed, script')) found.push(node.outerHTML.slice(0, 80));
      if (node.shadowRoot) look(node.shadowRoot);
    }
  };
  const dashboard = document.querySelector('.aiops-dashboard');
  for (const node of dashboard.querySelectorAll('*')) if (node.shadowRoot) look(node.shadowRoot);
  look(dashboard);
  return found;
}"""


TOOLTIPS = """() => {
  const texts = [];
  const look = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.matches('.bk-Tooltip')) texts.push((node.shadowRoot ?? node).textContent);
      if (node.shadowRoot) look(node.shadowRoot);
    }
  };
  look(document);
  return texts.join(' ');
}"""


@pytest.fixture(scope="module")
def planted(open_shared: Opener) -> Notebook:
    notebook = open_shared([PLANTED, "print(dashboard.to_html())"])
    notebook.run_cell(0)
    notebook.wait(DRAWN, 60)
    return notebook


def nothing_ran(notebook: Notebook) -> None:
    assert notebook.page.evaluate("() => window.reached") is None
    assert notebook.page.evaluate(FOREIGN) == []


def test_tiles_alerts_warnings_and_health_are_text(planted: Notebook) -> None:
    for row in planted.page.locator("tr.aiops-alert").all():
        row.click()
    planted.page.locator(".aiops-self summary").click()
    shown = planted.page.locator(".aiops-dashboard").inner_text()
    for name in ("onerror='window.reached = true'>", "/@time{safe}", "</script><script>", "{{ 7 * 7 }}"):
        assert name in shown
    nothing_ran(planted)


def test_the_titles_of_charts_hold_nothing_that_bokeh_would_typeset(planted: Notebook) -> None:
    titles = planted.page.evaluate(TITLES)
    assert len(titles) == 6
    assert not any("$" in title or "<" in title for title in titles)


@pytest.mark.parametrize("chart", ["latency-0", "chart-requests", "chart-errors", "chart-cpu", "chart-memory"])
def test_hovering_a_chart_shows_names_as_text(planted: Notebook, chart: str) -> None:
    box = planted.page.evaluate(
        """(name) => {
          const doc = Bokeh.documents.at(-1);
          const plot = doc.get_model_by_name(name);
          const view = Bokeh.index.find_one(plot);
          view.el.scrollIntoView({block: 'center'});
          const box = view.el.getBoundingClientRect();
          return {x: box.x, y: box.y, width: box.width, height: box.height};
        }""",
        chart,
    )
    text = ""
    for step in range(20):  # a tooltip appears where the pointer is on a line
        across = 0.4 + 0.02 * step
        planted.page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.45 * box["height"])
        text = planted.page.evaluate(TOOLTIPS)
        if "UTC" in text:
            break
    assert "UTC" in text
    if not chart.startswith("latency"):
        assert "target:" in text and "/" in text
    nothing_ran(planted)


def test_the_static_picture_next_to_it_is_text_too(planted: Notebook) -> None:
    planted.run_cell(1)
    picture = planted.output(1)
    assert "<script" not in picture and "<img" not in picture and "&lt;img src=x" in picture
    nothing_ran(planted)

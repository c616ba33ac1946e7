"""What is wrong is seen at once: without scrolling, in words, and from another tab."""

from __future__ import annotations

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

SICK = """
import numpy as np
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import AlertChange, FeatureTable, Item, NS_PER_SECOND, SeriesKey, Step, Tick
from aiops_nb.monitor.monitor import Monitor
N, SICK, T0 = 41, (17, 38), 1_780_000_000 * NS_PER_SECOND
URLS = [f"http://127.0.0.1:8080/api/v1/customers/{number}/orders" for number in range(N)]
NAMES = ("count", "error_ratio", "duration_p95_seconds")

def steps():
    keys = tuple(SeriesKey(url, origin="probe") for url in URLS)
    status = [503 if number in SICK else 200 for number in range(N)]
    ones = np.ones(N)
    for second in range(60):
        at = T0 + second * NS_PER_SECOND
        columns = {"time": [at] * N, "target": URLS, "origin": "probe", "duration_seconds": [0.1] * N}
        yield Step(Item(0, "requests", "test", make_batch("requests", "test", columns | {"status_code": status})))
        tick = Tick(FeatureTable("requests", at, keys, NAMES, np.stack([ones, 0 * ones, 0.1 * ones])))
        beat = make_batch("control", "test", {"time": [at], "kind": "heartbeat", "body": [""]})
        yield Step(Item(0, "control", "test", beat), [tick], list(changes(at)) if second == 50 else [])

def changes(at):
    for rule in range(22):
        number, severity = SICK[rule % 2], "critical" if rule == 3 else "error"
        labels = {"alertname": f"rule_{rule}", "severity": severity, "target": URLS[number], "origin": "probe"}
        yield AlertChange(time_ns=at, state="firing", labels=labels | {"detector": "row_rule"}, pending_at_ns=at,
                          fingerprint=f"rule {rule}", starts_at_ns=at, summary="3 consecutive 5xx responses")

class Sick(Monitor):
    running, ended, replays = True, False, False
    def recent(self): return list(steps())

monitor = Sick(make_run=lambda deliver: None)
dashboard = monitor.dashboard()
dashboard
"""
STOP = "monitor.running = False\ndashboard._wake()"
FINISH = "monitor.replays = monitor.ended = True\ndashboard._wake()"
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
# Whether an element, and all of it, is in the part of the notebook that is seen.
IN_SIGHT = """(node) => {
  const box = node.getBoundingClientRect();
  const pane = node.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
  return box.top >= pane.top && box.bottom <= pane.bottom && box.height > 0;
}"""
COLOURS = (
    """() => [...document.querySelectorAll('.aiops-tile')].map((tile) => getComputedStyle(tile).borderLeftColor)"""
)
# Severities in the table of alerts that are coloured, and words on the frames of charts.
ALARM_COLOURS = """() => [...document.querySelectorAll('.aiops-alert .aiops-pill, .aiops-cell')].map((one) => {
  const pill = one.matches('.aiops-pill');
  const style = getComputedStyle(one);
  const parts = (pill ? style.backgroundColor : style.borderTopColor).match(/[\\d.]+/g).map(Number).slice(0, 3);
  const coloured = Math.max(...parts) - Math.min(...parts) > 40;
  const word = getComputedStyle(one, '::after').content.replace('none', '').replaceAll('"', '');
  return pill ? (coloured ? one.textContent : '') : coloured || word ? `frame ${word}` : '';
}).filter(Boolean)"""
WORDS = """() => [...document.querySelectorAll('.aiops-tone')].filter((one) => one.checkVisibility()).map(
  (one) => one.textContent)"""
STATE = "() => document.querySelector('.aiops-state .aiops-value')?.textContent"
CUT = """() => [...document.querySelectorAll('.aiops-tile *, .aiops-tools button')].filter(
  (node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflow === 'hidden'
  && getComputedStyle(node).display !== 'inline').map((node) => node.textContent)"""


@pytest.fixture(scope="module")
def sick(open_shared: Opener) -> Notebook:
    notebook = open_shared([SICK, STOP, FINISH])
    notebook.page.set_viewport_size({"width": 1400, "height": 900})
    notebook.run_cell(0)
    notebook.wait(DRAWN, 60)
    notebook.page.evaluate("() => document.querySelector('.aiops-dashboard').scrollIntoView()")
    return notebook


def test_the_worst_alert_and_the_sick_charts_are_in_sight(sick: Notebook) -> None:
    first = sick.page.locator("tr.aiops-alert").first
    assert "critical" in first.inner_text() and "customers/38" in first.inner_text()
    assert first.evaluate(IN_SIGHT)
    cells = sick.page.locator(".aiops-latency .aiops-cell:not([hidden])")
    bad = "(cells) => cells.map((cell) => [cell.offsetTop, cell.offsetLeft, cell.matches('.aiops-bad')])"
    assert [is_bad for *_, is_bad in sorted(cells.evaluate_all(bad))] == [True, True, *[False] * 6]
    assert sick.page.locator(".aiops-tools", has_text="showing 8 of 41 targets").count() == 1


def test_every_colour_of_a_tile_has_its_word(sick: Notebook) -> None:
    words = sick.page.evaluate(WORDS)
    assert "\u25b2 alert" in words and "\u2713 ok" in words
    assert sick.page.evaluate(CUT) == []


def test_the_evidence_of_the_last_alert_opens_in_sight(sick: Notebook) -> None:
    sick.page.locator("tr.aiops-alert").last.click()
    detail = sick.page.locator("tr.aiops-evidence")
    detail.wait_for()
    inside = """(row) => {
      const [box, area] = [row, row.closest('.aiops-scroll')].map((node) => node.getBoundingClientRect());
      return box.top < area.bottom && box.bottom <= area.bottom + 1;
    }"""
    sick.page.wait_for_function(f"() => ({inside})(document.querySelector('tr.aiops-evidence'))", timeout=10_000)
    header = """(head) => {
      const box = head.getBoundingClientRect();
      return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === head;
    }"""
    assert sick.page.locator(".aiops-alerts th").first.evaluate(header)  # no row is painted over it


def test_the_title_of_the_page_counts_what_fires(sick: Notebook) -> None:
    sick.wait("() => document.title.startsWith('(22 alerts firing) ')")


def test_a_stopped_monitor_and_a_finished_replay_are_grey_and_say_so(sick: Notebook) -> None:
    assert len(set(sick.page.evaluate(COLOURS))) > 1
    assert {"critical", "error", "frame \u25b2\u00a0alert"} <= set(sick.page.evaluate(ALARM_COLOURS))
    sick.run_cell(1)
    sick.wait(f"() => ({STATE})() === 'Stopped'")
    assert len(set(sick.page.evaluate(COLOURS))) == 1
    assert sick.page.evaluate(ALARM_COLOURS) == []
    assert sick.page.evaluate(WORDS) == []
    assert "monitoring has stopped" in sick.page.locator(".aiops-as-of").inner_text()
    sick.run_cell(2)
    sick.wait(f"() => ({STATE})() === 'Replay finished'")
    assert "Live" not in sick.page.locator(".aiops-panel-status").inner_text()

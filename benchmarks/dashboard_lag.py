"""Time from the end of a request to the frame in which a browser draws it, in a real JupyterLab and Chromium.

python -m benchmarks.dashboard_lag
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.lab import CHROMIUM_FLAGS, Notebook, Opener, find_chromium, opening, running_lab

ROWS = 150
PROBES = """
import aiops_nb, os, time
from aiops_nb.demo import start_demo_service
demo = start_demo_service(kinds=())
monitor = aiops_nb.watch(demo.urls, interval_seconds=0.2)
"""
FLOOD = """
import os, time
import numpy as np
from aiops_nb.core.schemas import make_batch
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.engine.params import PipelineParams
from aiops_nb.record.tap import NullTap

TARGETS, BATCH, SECONDS = [f"t{i}" for i in range(100)], 1000, 0.1

class Flood:
    name = "flood"
    def __init__(self):
        self.due, self.random = time.monotonic(), np.random.default_rng(7)
    def poll(self, timeout_seconds):
        time.sleep(max(0.0, self.due - time.monotonic()))
        self.due += SECONDS
        columns = {"time": time.time_ns() - np.arange(BATCH)[::-1] * 1000, "target": TARGETS * (BATCH // 100)}
        columns |= {"origin": "traffic", "status_code": np.full(BATCH, 200, np.int16)}
        return make_batch("requests", self.name, columns | {"duration_seconds": self.random.gamma(4, 0.02, BATCH)})
    def close(self):
        pass

monitor = Monitor(lambda deliver: LiveRun([Flood()], NullTap(), PipelineParams(), deliver))
monitor.start()
"""
SHOW = "dashboard = monitor.dashboard()\ndashboard"
COST = """
import json
figure = dashboard.screen().figure
print(json.dumps([time.process_time(), time.time(), figure.sent_patches, monitor.counters.rows_total]))
"""
READY = "() => window.Bokeh?.documents?.at(-1)?.get_model_by_name('requests-0')?.data.time.length > 3"
# Requests that first appear in a frame, by the difference of the page's clock and the request's end, ms.
LAGS = """(count) => new Promise((resolve) => {
  const lags = [];
  let last = Infinity;
  const look = () => {
    const rows = Array.from(Bokeh.documents.at(-1).get_model_by_name('requests-0').data.time);
    const now = Date.now();
    for (const time of rows) if (time > last) lags.push(now - time);
    last = Math.max(...rows);
    if (lags.length < count) requestAnimationFrame(look); else resolve(lags);
  };
  requestAnimationFrame(look);
})"""


@contextmanager
def notebooks() -> Iterator[Opener]:
    """Opens notebooks in a JupyterLab of its own."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        with running_lab(Path(folder) / "lab") as lab, opening(lab, browser) as opener:
            yield opener
        browser.close()


def measure(notebook: Notebook, load: str) -> str:
    """One line of the table."""
    for cell in (0, 1):
        notebook.run_cell(cell)
    notebook.wait(READY, 60)
    began = json.loads(notebook.print_of(2))
    lags = sorted(notebook.page.evaluate(LAGS, ROWS))
    ended = json.loads(notebook.print_of(2))
    cpu, wall, patches, rows = (after - before for before, after in zip(began, ended, strict=True))
    late = lags[int(0.95 * len(lags))]
    numbers = f"{statistics.median(lags):.0f} ms | {late:.0f} ms | {100 * cpu / wall:.0f} %"
    notebook.end()  # a page behind another one is drawn once a second
    return f"| {load} | {rows / wall:,.0f} | {numbers} | {patches / wall:.1f} |"


def main() -> None:
    """Print the table."""
    if find_chromium() is None:
        sys.exit("dashboard_lag: expected chromium or google-chrome on the PATH, found neither")
    print("| load | rows/s | row to frame, median | p95 | kernel CPU, engine included | messages/s |")
    print("|---|--:|--:|--:|--:|--:|")
    with notebooks() as opener:
        print(measure(opener([PROBES, SHOW, COST]), "4 targets, probed at 5 Hz"), flush=True)
        print(measure(opener([FLOOD, SHOW, COST]), "100 targets, 10,000 rows/s"), flush=True)


if __name__ == "__main__":
    main()

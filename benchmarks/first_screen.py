"""Seconds from Run All of notebooks/01_live_monitor.ipynb to the first drawn row, in a real JupyterLab and Chromium.

python -m benchmarks.first_screen
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from benchmarks.dashboard_lag import notebooks

ROUNDS = 3
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "01_live_monitor.ipynb"
DRAWN = """() => window.Bokeh?.documents?.at(-1)?.get_model_by_name('requests-0')?.data.time.length > 0
  && document.querySelector('.bk-Column, .bk-GridBox, .bk-Figure, [data-root-id]') !== null"""
IDLE = "() => document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]') !== null"


def code_cells() -> list[str]:
    """The code of the notebook, as a newcomer runs it."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def main() -> None:
    """Print the table."""
    costs = []
    with notebooks() as open_notebook:
        for _ in range(ROUNDS):
            notebook = open_notebook(code_cells())
            notebook.wait(IDLE, 60.0)
            began = time.perf_counter()
            notebook.run_all()
            notebook.wait(DRAWN, 60.0)
            costs.append(time.perf_counter() - began)
            notebook.page.screenshot(path=sys.argv[1]) if len(sys.argv) > 1 else None
            notebook.end()
    print("| Run All to the first drawn row | median | worst |")
    print("|:--|--:|--:|")
    print(f"| {ROUNDS} fresh kernels | {statistics.median(costs):.1f} s | {max(costs):.1f} s |")


if __name__ == "__main__":
    main()

"""Makes the picture of the README: the dashboard over the demo service, in a real JupyterLab.

python -m tests.browser.picture docs/images/dashboard.png
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import CHROMIUM_FLAGS, Notebook, find_chromium, running_lab

CELLS = (
    "import aiops_nb\nfrom aiops_nb.demo import start_demo_service\ndemo = start_demo_service(seed=7)",
    "monitor = aiops_nb.watch(demo.urls)\nmonitor.dashboard()",
)
# the first fault of this seed fills a quarter of the charts then, and its alert fires
FIRING = "() => document.querySelectorAll('.aiops-alert.aiops-firing').length > 0"
LATER_MS = 12_000
WIDTH, HEIGHT = 1360, 1100


def main(path: Path) -> None:
    """Wait for the first alert, and a little, then take the picture."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright, running_lab(Path(home)) as lab:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        context = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        notebook = Notebook.open(lab, context, CELLS)
        notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        notebook.run_all()
        notebook.wait(FIRING, timeout_seconds=180)
        notebook.page.wait_for_timeout(LATER_MS)
        notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
        take(notebook.page, path)
        notebook.end()
        chromium.close()


def take(page: Page, path: Path) -> None:
    """The dashboard alone."""
    page.screenshot(path=path, clip=page.evaluate(AROUND))


AROUND = """() => {
  const box = document.querySelector('.aiops-dashboard').getBoundingClientRect();
  return {x: box.x - 4, y: box.y - 2, width: box.width + 8, height: box.height + 4};
}"""


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a reader sees of a notebook that was saved with a live dashboard."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.browser.lab import Notebook, Opener

pytestmark = pytest.mark.browser

WATCH = """
import aiops_nb
from aiops_nb.demo import start_demo_service
demo = start_demo_service(kinds=())
monitor = aiops_nb.watch(demo.urls, interval_seconds=0.2)
"""
SHOW = "dashboard = monitor.dashboard()\ndashboard"
DRAWN = "() => document.querySelectorAll('.aiops-figure[data-drawn]').length"
PICTURE = "() => document.querySelectorAll('.aiops-twin svg').length"
ERRORS = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter((node) => node.checkVisibility() && node.innerText.includes('Error displaying widget')).length"""


@pytest.fixture(scope="module")
def saved(open_shared: Opener) -> Notebook:
    notebook = open_shared([WATCH, SHOW, "monitor.stop()"])
    for cell in (0, 1):
        notebook.run_cell(cell)
    notebook.wait(DRAWN, 60)
    notebook.wait("() => document.querySelector('.aiops-tile .aiops-value')?.textContent === 'Live'")
    assert not notebook.page.locator(".aiops-twin").is_visible()
    notebook.run_cell(2)  # the picture is replaced when the monitor stops
    notebook.wait(PICTURE, 60)
    notebook.save()
    return notebook


def test_nbconvert_shows_the_picture_and_no_broken_widget(saved: Notebook) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--stdout", str(saved.path)]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert page.count("<svg") >= 6 and "4 of 4 up" in page
    assert "VBox(children" not in page and "Error displaying widget" not in page


def test_a_page_without_the_kernel_shows_the_picture_and_no_error(saved: Notebook) -> None:
    saved.page.evaluate("(id) => window.jupyterapp.serviceManager.sessions.shutdown(id)", saved.session)
    saved.load()
    saved.page.locator(".aiops-twin svg").first.wait_for(state="visible")
    assert saved.page.evaluate(ERRORS) == 0
    assert saved.page.locator(".aiops-dashboard").count() == 0

"""One JupyterLab and one Chromium for all browser tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import CHROMIUM_FLAGS, Lab, Opener, find_chromium, opening, running_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NO_BROWSER = (
    "BROWSER TESTS DID NOT RUN: neither chromium nor google-chrome is on the PATH, and Playwright's own is absent "
    "({error}). Install Debian's chromium, or run: playwright install chromium"
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium: the system's, or Playwright's own."""
    api = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: pip install playwright")
    with api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        except api.Error as error:
            reason = NO_BROWSER.format(error=str(error).splitlines()[0])
            # on a build machine, a browser that is missing is a fault, not a circumstance
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of its own, with our server extension."""
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def open_shared(lab: Lab, browser: Browser) -> Iterator[Opener]:
    """Opens notebooks that live as long as the module's tests."""
    with opening(lab, browser) as opener:
        yield opener


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[Opener]:
    """Opens notebooks that end with the test, kernels too."""
    with opening(lab, browser) as opener:
        yield opener

"""One JupyterLab and one Chromium for all browser tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="browser tests need: pip install playwright")

from lab import CHROMIUM_FLAGS, Lab, Notebook, find_chromium, page_context, running_lab  # noqa: E402

OpenNotebook = Callable[[Sequence[str]], Notebook]
NO_BROWSER = (
    "BROWSER TESTS DID NOT RUN: neither chromium nor google-chrome is on the PATH, and Playwright's own is absent "
    "({error}). Install Debian's chromium, or run: playwright install chromium"
)


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright_api.Browser]:
    """A headless Chromium: the system's, or Playwright's own."""
    with playwright_api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        except playwright_api.Error as error:
            pytest.skip(NO_BROWSER.format(error=str(error).splitlines()[0]))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(browser: playwright_api.Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of its own, with our server extension."""
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def open_notebook(lab: Lab, browser: playwright_api.Browser) -> Iterator[OpenNotebook]:
    """Opens notebooks in one profile that ends with the test, kernels too."""
    with page_context(browser) as context:
        opened: list[Notebook] = []

        def open_one(cells: Sequence[str]) -> Notebook:
            opened.append(Notebook.open(lab, context, cells))
            return opened[-1]

        yield open_one
        for notebook in opened:
            notebook.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

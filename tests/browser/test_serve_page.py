"""The dashboard outside of Jupyter in a real browser: live, for several viewers, by keyboard, and safe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import aiops_nb
from aiops_nb.serve import DashboardServer
from tests.browser.accessibility import severe_faults
from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from aiops_nb.monitor.monitor import Monitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
CONFIG = {"interval": "250ms", "timeout": "200ms"}
PLANTED = "<img/src=x/onerror=window.planted=1>"
DRAWN = "() => document.querySelector('.aiops-figure[data-drawn]') !== null"
STATE = "() => document.querySelector('.aiops-state .aiops-value')?.textContent"
SAID_WITHIN_MS = 5_000
NEWEST = """() => Math.max(0, ...(Bokeh.documents.at(-1)?._all_models.values() ?? []).filter(
  (one) => one.type === "Figure").map((one) => one.x_range.end))"""


@pytest.fixture(scope="module")
def monitor() -> Iterator[Monitor]:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/{PLANTED}", f"http://127.0.0.1:{port}/health"]
    with aiops_nb.watch(urls, config=CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def server(monitor: Monitor) -> Iterator[DashboardServer]:
    with DashboardServer(monitor) as serving:
        # the thread that answers pages begins now, and ends with the server
        serving._dashboard.screen().requests.take({"kind": "yaml", "field": "yaml"})
        yield serving


@contextmanager
def opened(browser: Browser, server: DashboardServer, scheme: str = "light", width: int = 1500) -> Iterator[Page]:
    """A viewer with a profile of its own; nothing that it says or asks for may be wrong."""
    context = browser.new_context(viewport={"width": width, "height": 1100}, color_scheme=scheme)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    page.on("request", lambda request: faults.append(request.url) if _is_foreign(request.url, server) else None)
    try:
        page.goto(server.url)
        page.wait_for_function(DRAWN, timeout=60_000)
        page.wait_for_selector(".aiops-alert")
        yield page
        assert page.evaluate("() => window.planted") is None
        assert faults == []
    finally:
        context.close()


def _is_foreign(url: str, server: DashboardServer) -> bool:
    own = (f"http://127.0.0.1:{server.port}/", f"ws://127.0.0.1:{server.port}/", "blob:", "data:")
    return not url.startswith(own)


def assert_moves(page: Page) -> None:
    """The charts go on: their right end is a later time."""
    page.wait_for_function(f"(before) => ({NEWEST})() > before", arg=page.evaluate(NEWEST), timeout=60_000)


def test_it_is_live_and_text_from_outside_is_text(browser: Browser, server: DashboardServer) -> None:
    with opened(browser, server) as page:
        assert_moves(page)
        assert page.evaluate(STATE).endswith("Live")
        assert "onerror" in page.locator(".aiops-alerts").inner_text()
        page.locator(".aiops-alert").first.click()
        page.locator(".aiops-actions button").first.click()
        page.locator(".aiops-evidence .aiops-answer").wait_for(timeout=20_000)  # came back with the stream


def test_viewers_share_one_picture_and_a_reload_is_whole(browser: Browser, server: DashboardServer) -> None:
    with opened(browser, server) as one, opened(browser, server, width=900) as two:
        one.get_by_role("button", name="5 min", exact=True).click()
        chosen = "() => document.querySelector('.widget-toggle-button[aria-pressed=true]')?.textContent"
        two.wait_for_function(f"() => ({chosen})() === '5 min'", timeout=20_000)
        two.reload()
        two.wait_for_function(DRAWN, timeout=60_000)
        assert two.evaluate(chosen) == "5 min"
        assert two.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        one.get_by_role("button", name="2 min", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, server: DashboardServer, scheme: str) -> None:
    with opened(browser, server, scheme) as page:
        page.locator(".aiops-alert").first.click()
        page.wait_for_selector(".aiops-evidence")
        assert severe_faults(page, "body") == []


REACHED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one === document.body ? "" : one.textContent.trim() || one.title || one.placeholder || one.type || one.tagName;
}"""


def test_all_of_it_is_reached_by_keyboard(browser: Browser, server: DashboardServer) -> None:
    with opened(browser, server) as page:
        page.locator("body").press("Tab")
        reached = [page.evaluate(REACHED)]
        while reached[-1] and len(reached) < 60:
            page.keyboard.press("Tab")
            reached.append(page.evaluate(REACHED))
        text = "\n".join(reached)
        for wanted in ("Stop", "24 h", "Targets", "Data", "Monitor health", "request_failed", "Alert when"):
            assert wanted in text, f"{wanted} is not reached by Tab: {reached}"
        page.locator(".aiops-alert").first.focus()
        page.evaluate("() => new Promise((done) => setTimeout(done, 2500))")  # drawn again, with its age
        assert page.evaluate("() => document.activeElement.classList.contains('aiops-alert')")
        page.keyboard.press("Enter")
        page.wait_for_selector(".aiops-evidence", timeout=5_000)


def test_a_server_that_hangs_is_reported_and_the_page_recovers(browser: Browser, server: DashboardServer) -> None:
    with opened(browser, server) as page:
        assert server._loop is not None
        server._loop.call_soon_threadsafe(time.sleep, 7)
        page.locator("#note:visible", has_text="does not respond").wait_for(timeout=SAID_WITHIN_MS + 1_000)
        page.wait_for_function(f"() => ({STATE})() === 'Disconnected'", timeout=3_000)
        page.wait_for_function(f"() => ({STATE})() === 'Live'", timeout=20_000)
        for viewer in tuple(server.viewers):
            server._loop.call_soon_threadsafe(viewer.close)
        page.locator("#note:visible").wait_for(timeout=SAID_WITHIN_MS)
        page.locator("#note").wait_for(state="hidden", timeout=20_000)
        assert_moves(page)
        assert page.locator(".aiops-figure").count() == 1


def test_a_server_that_ended_is_reported(browser: Browser, monitor: Monitor) -> None:
    with DashboardServer(monitor) as short, opened(browser, short) as page:
        short.close()
        page.locator("#note:visible", has_text="Disconnected").wait_for(timeout=SAID_WITHIN_MS)
        assert page.evaluate(STATE) is not None

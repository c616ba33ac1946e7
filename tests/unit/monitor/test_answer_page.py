"""The page that messages link to: only with its token, GET shows, POST acts, nothing from outside is markup."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

import pytest
import requests

from aiops_nb import watch
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_reference
from aiops_nb.monitor.answering.page import AnswerPage
from aiops_nb.notify.answer_links import AnswerLinks, AnswerPageParams
from aiops_nb.notify.message import Message
from aiops_nb.notify.templates import Texts
from tests.ports import free_port

PLANTED = "<script>alert(1)</script>"
CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def monitor():
    """Watches a target of a hostile name on which nobody listens, so that one alert fires."""
    targets = [{"name": f"shop {PLANTED}", "url": f"http://127.0.0.1:{free_port()}/health"}]
    with watch(config={**CONFIG, "targets": targets, "answer_page": {"port": 0}}) as running:
        wait_for(running.firing)
        yield running


@pytest.fixture
def link(monitor):
    return monitor.answer_link("request_failed")


def test_get_shows_the_alert_escaped_and_changes_nothing(monitor, link):
    for _ in range(2):
        page = requests.get(link, timeout=10)
    assert page.status_code == 200
    assert "request_failed on shop &lt;script&gt;" in page.text and PLANTED not in page.text
    assert monitor.alerts()["acknowledged_by"].tolist() == [""]
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-store"


def test_a_form_acknowledges_snoozes_and_silences(monitor, link):
    done = requests.post(link, data={"action": "acknowledge", "author": "anna", "note": PLANTED}, timeout=10)
    assert done.status_code == 200 and done.history[0].status_code == 303  # a reload does not post again
    assert "Acknowledged." in done.text and "anna" in done.text and PLANTED not in done.text
    assert monitor.alerts()["acknowledged_by"].tolist() == ["anna"]
    requests.post(link, data={"action": "unacknowledge"}, timeout=10)
    wait_for(lambda: monitor.alerts()["acknowledged_by"].tolist() == [""])
    requests.post(link, data={"action": "snooze", "duration": "4h", "note": "later"}, timeout=10)
    requests.post(link, data={"action": "silence", "duration": "1h"}, timeout=10)
    wait_for(lambda: len(monitor.silences()) == 2)
    silences = monitor.silences()
    assert [round((one.ends_at - one.starts_at).total_seconds()) for one in silences.itertuples()] == [14400, 3600]
    for one in silences["id"]:
        monitor.end_silence(one)


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("token=", "token=0"),
        lambda url: re.sub("&token=.*", "", url),
        lambda url: re.sub("expires=[0-9]+", "expires=99999999999", url),
        lambda url: re.sub("expires=[0-9]+", "expires=²", url),
        lambda url: re.sub("alerts/[0-9a-f]+", "alerts/0000000000000000", url),
        lambda url: re.sub("token=.*", "token=%C3%A9", url),
    ],
)
def test_a_link_that_was_changed_neither_shows_nor_acts(monitor, link, change):
    for refused in (
        requests.get(change(link), timeout=10),
        requests.post(change(link), data={"action": "acknowledge"}, timeout=10),
    ):
        assert refused.status_code == 403 and "shop" not in refused.text
    assert monitor.alerts()["acknowledged_by"].tolist() == [""]


def test_a_post_from_another_site_is_refused(monitor, link):
    for site in ("cross-site", "same-site"):
        refused = requests.post(link, data={"action": "acknowledge"}, headers={"Sec-Fetch-Site": site}, timeout=10)
        assert refused.status_code == 403
    assert monitor.alerts()["acknowledged_by"].tolist() == [""]


@pytest.mark.parametrize("form", [{"action": "delete"}, {"action": "snooze", "duration": "10y"}, {}])
def test_what_cannot_be_done_is_said(link, form):
    page = requests.post(link, data=form, timeout=10)
    assert page.status_code == 409 and "Not done: " in page.text


def test_other_paths_methods_and_sizes_are_refused(link):
    parts = urlsplit(link)
    assert requests.get(f"{parts.scheme}://{parts.netloc}/", timeout=10).status_code == 404
    assert requests.put(link, timeout=10).status_code == 405
    try:
        status = requests.post(link, data={"note": "x" * 100_000}, timeout=10).status_code
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):  # closed while it was sent
        status = 413
    assert status in (400, 413)


def test_an_expired_link_is_refused(monitor):
    links = monitor._answer_page.links
    fingerprint = monitor.alerts()["fingerprint"].iloc[0]
    old = links.link(fingerprint, SystemClock().now_ns() - 90_000 * 10**9)
    assert requests.get(old, timeout=10).status_code == 403


def test_messages_have_the_link_and_the_log_does_not(monitor):
    texts = Texts()
    texts.links = AnswerLinks("http://127.0.0.1:1", b"s", 60.0)
    message = Message(kind="firing", fingerprint="f0", episode_ns=0, labels={"alertname": "a", "target": "b"})
    assert "Answer: http://127.0.0.1:1/alerts/f0?expires=60&token=" in texts.text([message])
    assert '<a href="http://127.0.0.1:1/alerts/f0?expires=60&amp;token=' in texts.html([message])
    assert "token" not in str(message)


def test_a_secret_that_is_shared_outlives_the_run(monkeypatch):
    monkeypatch.setenv("ANSWERS", "of all runs")
    params = AnswerPageParams(secret="env:ANSWERS")
    pages = [AnswerPage(None, params) for _ in range(2)]
    try:
        token = pages[0].links.link("f0", 0).partition("token=")[2]
        assert pages[1].links.is_valid("f0", "86400", token, now_ns=0)
    finally:
        for page in pages:
            page.close()
            page.close()


def test_a_literal_secret_and_a_taken_port_are_refused(monitor):
    assert is_reference("env:X")
    with pytest.raises(ConfigError, match="not shown") as refused:
        AnswerPageParams(secret="planted-secret")
    assert "planted-secret" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"answer_page\.port: expected a free port"):
        AnswerPage(monitor, AnswerPageParams(port=monitor._answer_page.address[1]))


def test_without_a_page_there_is_no_link():
    with watch(f"http://127.0.0.1:{free_port()}/", config=CONFIG) as running, pytest.raises(ConfigError, match="page"):
        running.answer_link(0)

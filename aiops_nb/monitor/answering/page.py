"""The page that messages link to: one alert, and a form to acknowledge, snooze or silence it.

Served by Tornado, which Jupyter brings: its parser has limits on size and time, and one thread serves all.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jinja2
import tornado.httpserver
import tornado.netutil
import tornado.web

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.matchers import Matcher
from aiops_nb.core.references import resolved_text
from aiops_nb.core.types import ACTIVE_STATES
from aiops_nb.notify.answer_links import PATH, AnswerLinks, AnswerPageParams

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor

_log = logging.getLogger(__name__)

MOST_BODY_BYTES = 8_192
MOST_HEADER_BYTES = 16_384
REQUEST_SECONDS = 10.0
CLOSE_SECONDS = 5.0
DURATIONS = ("1h", "4h", "12h", "1d", "7d")
REFUSED = "This link is not valid, or has expired. Answer with aiops-nb ack, or in the dashboard."
DONE = {
    "acknowledge": "Acknowledged.",
    "unacknowledge": "No longer acknowledged.",
    "snooze": "Snoozed.",
    "silence": "Silenced.",
}
MOST_AUTHOR, MOST_NOTE = 100, 500
SHOWN_SECONDS = 2.0
CROSS_SITE = "This form was sent from another page."
FACTS = ("state", "severity", "target", "starts_at", "ends_at", "acknowledged_by", "silenced_by", "note")


@cache
def _template() -> jinja2.Template:
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("answer.html")


class AnswerPage:
    """Serves the page until it is closed, in a thread of its own.

    GET shows the alert and changes nothing; POST acts. Both need the token of the link, so that another site, which
    does not know it, can neither read nor post; a post that says it comes from another origin is refused too.

    Parameters
    ----------
    monitor
        Shows and answers its alerts.
    params
        Where to listen, and how links are signed.
    clock
        Says whether a link has expired.

    Raises
    ------
    ConfigError
        If the address cannot be listened on, or the reference of the secret cannot be read.
    """

    def __init__(self, monitor: Monitor, params: AnswerPageParams, clock: Clock | None = None) -> None:
        secret = resolved_text(params.secret, "answer_page.secret").encode() if params.secret else b""
        try:
            self._sockets = tornado.netutil.bind_sockets(params.port, params.listen_on)
        except OSError as problem:
            where = f"{params.listen_on}:{params.port}"
            raise ConfigError.at("answer_page.port", "a free port", f"{where}: {problem.strerror}") from None
        self.address: tuple[str, int] = self._sockets[0].getsockname()[:2]
        base = params.url or f"http://{_in_url(self.address[0])}:{self.address[1]}"
        self.links = AnswerLinks(base, secret or secrets.token_bytes(32), params.link_seconds)
        self._arguments = {"monitor": monitor, "links": self.links, "clock": clock or SystemClock()}
        self._ready, self._closed = threading.Event(), False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="aiops-answer-page", daemon=True
        )
        self._thread.start()
        self._ready.wait(CLOSE_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        routes = [(f"{PATH}([0-9a-zA-Z-]{{1,64}})", _AlertHandler, self._arguments)]
        application = tornado.web.Application(routes, default_handler_class=_NothingHandler, log_function=_logged)
        server = tornado.httpserver.HTTPServer(
            application,
            max_body_size=MOST_BODY_BYTES,
            max_header_size=MOST_HEADER_BYTES,
            idle_connection_timeout=REQUEST_SECONDS,
            body_timeout=REQUEST_SECONDS,
            no_keep_alive=True,
        )
        server.add_sockets(self._sockets)
        self._ready.set()
        await self._stopping.wait()
        server.stop()
        await server.close_all_connections()

    def close(self) -> None:
        """Close the port and end the thread; may be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(CLOSE_SECONDS)


def _in_url(host: str) -> str:
    """An address as it is written in a URL; that of all interfaces is reached by the loopback one."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _logged(handler: tornado.web.RequestHandler) -> None:
    """The path only: the query holds the token."""
    _log.info("answer page: %s %s: %d", handler.request.method, handler.request.path, handler.get_status())


class _Handler(tornado.web.RequestHandler):
    """What every answer has in common: no scripts, no frames, no cache, no referrer."""

    def set_default_headers(self) -> None:
        self.nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; style-src 'nonce-{self.nonce}'; form-action 'self'; base-uri 'none'"
        self.set_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Robots-Tag", "noindex")
        self.set_header("Server", "aiops-nb")

    def write_error(self, status_code: int, **_problem: object) -> None:
        self.show("Not found." if status_code == 404 else "This request cannot be answered.")

    def show(self, notice: str, alert: dict[str, Any] | None = None) -> None:
        """The page, as HTML in which nothing from outside is markup."""
        facts = {} if alert is None else {name: alert[name] for name in FACTS if alert.get(name)}
        page = _template().render(
            title="Alert" if alert is None else f"{alert['alertname']} on {alert['target']}",
            notice=notice,
            alert=alert,
            facts={name.replace("_", " "): value for name, value in facts.items()},
            is_active=alert is not None and alert["state"] in ACTIVE_STATES,
            durations=DURATIONS,
            nonce=self.nonce,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)


class _NothingHandler(_Handler):
    def prepare(self) -> None:
        self.set_status(404)
        self.show("Not found.")


class _AlertHandler(_Handler):
    SUPPORTED_METHODS = ("GET", "POST")

    def initialize(self, monitor: Monitor, links: AnswerLinks, clock: Clock) -> None:
        self._monitor, self._links, self._clock = monitor, links, clock

    def _is_allowed(self, fingerprint: str) -> bool:
        expires, token = self.get_query_argument("expires", "0"), self.get_query_argument("token", "")
        return (
            expires.isascii()
            and expires.isdigit()
            and self._links.is_valid(fingerprint, expires, token, self._clock.now_ns())
        )

    def _is_cross_site(self) -> bool:
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        return site not in ("same-origin", "none")

    async def get(self, fingerprint: str) -> None:
        if not self._is_allowed(fingerprint):
            return self._refuse(REFUSED)
        alert = await asyncio.to_thread(newest, self._monitor, fingerprint)  # of a long run they take a while
        notice = DONE.get(self.get_query_argument("done", ""), "")
        return self._show(notice, alert)

    async def post(self, fingerprint: str) -> None:
        """Act, then have the browser get the page, so that reloading it does not act again."""
        if not self._is_allowed(fingerprint):
            return self._refuse(REFUSED)
        if self._is_cross_site():
            return self._refuse(CROSS_SITE)
        form = {name: self.get_body_argument(name, "").strip() for name in ("action", "author", "note", "duration")}
        try:
            await asyncio.to_thread(answer, self._monitor, fingerprint, form)
        except AiopsError as problem:
            self.set_status(409)
            return self._show(f"Not done: {problem}", await asyncio.to_thread(newest, self._monitor, fingerprint))
        query = {name: self.get_query_argument(name) for name in ("expires", "token")}
        return self.redirect(f"?{urlencode({**query, 'done': form['action']})}", status=303)

    def _refuse(self, notice: str) -> None:
        self.set_status(403)
        self.show(notice)

    def _show(self, notice: str, alert: dict[str, Any] | None) -> None:
        if alert is None:
            self.set_status(404)
        self.show(notice or ("This alert is not known any more." if alert is None else ""), alert)


def newest(monitor: Monitor, fingerprint: str) -> dict[str, Any] | None:
    """The newest episode of an alert as text, None if there is none."""
    alerts = monitor.alerts()
    own = alerts[alerts["fingerprint"] == fingerprint]
    if own.empty:
        return None
    row = own.iloc[-1]
    times = {name: row[name] for name in ("starts_at", "ends_at")}
    shown = {name: "" if time != time else f"{time:%Y-%m-%d %H:%M:%S} UTC" for name, time in times.items()}
    plain = {name: str(row[name]) for name in ("alertname", "state", "severity", "target", "summary")}
    answered = {name: str(row[name] or "") for name in ("acknowledged_by", "note")}
    silenced = row["silenced_by"]
    silenced_by = silenced if isinstance(silenced, str) else ", ".join(silenced)
    return {**plain, **answered, **shown, "silenced_by": silenced_by}


def answer(monitor: Monitor, fingerprint: str, form: dict[str, str]) -> None:
    """Do what the form asks; returns when the alert shows it, or after a moment.

    Raises
    ------
    ConfigError
        If it cannot be done.
    """
    author, note = form["author"][:MOST_AUTHOR] or "answer page", form["note"][:MOST_NOTE]
    duration = form["duration"] or DURATIONS[0]
    before = newest(monitor, fingerprint)
    if before is None or before["state"] not in ACTIVE_STATES:
        raise ConfigError.at("alert", "an alert that is pending or firing", "one that is over")
    match form["action"]:
        case "acknowledge":
            monitor.acknowledge(fingerprint, note=note, author=author)
        case "unacknowledge":
            monitor.unacknowledge(fingerprint, author=author)
        case "snooze" | "silence" if duration not in DURATIONS:
            raise ConfigError.at("duration", f"one of {', '.join(DURATIONS)}", duration)
        case "snooze":
            monitor.snooze(fingerprint, duration, note=note, author=author)
        case "silence":
            matchers = [str(Matcher(name, "=", before[name])) for name in ("alertname", "target")]
            monitor.silence(matchers, duration=duration, author=author, reason=note)
        case action:
            raise ConfigError.at("action", "acknowledge, unacknowledge, snooze or silence", action)
    deadline = time.monotonic() + SHOWN_SECONDS
    while newest(monitor, fingerprint) == before and time.monotonic() < deadline:
        time.sleep(0.05)  # commands are taken in the order of the stream

"""Serves the dashboard of a monitor on the loopback interface, to pages that know the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import comm
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.serve.bridge import Bridge, packed
from aiops_nb.view.widgets.server_extension import ONE_YEAR_SECONDS, bokeh_route, bokeh_script

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor

_log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
FILES = {"app.js": "text/javascript", "app.css": "text/css"}
LOOPBACK = "127.0.0.1"
OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})  # another name that leads here is a rebinding attack
BEAT_SECONDS = 1.0
CLOSE_SECONDS = 5.0
MOST_WAITING_BYTES = 64 << 20
MOST_MESSAGE_BYTES = 1 << 20
MOST_VIEWERS = 50
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class DashboardServer:
    """A page with the dashboard of a monitor, until it is closed; for a process without a notebook's kernel.

    Every request needs a `Host` of the loopback interface, the page and its WebSocket the token, and the WebSocket an
    `Origin` that is this server. Nothing sets a cookie, and no query is logged.

    Parameters
    ----------
    monitor
        What is shown; started and stopped by its owner.
    port
        0: a free one.

    Attributes
    ----------
    url
        Of the page, with its token.

    Raises
    ------
    ConfigError
        If the port cannot be listened on.

    Examples
    --------
    >>> from aiops_nb.monitor.monitor import Monitor
    >>> with DashboardServer(Monitor(make_run=lambda deliver: None)) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, monitor: Monitor, port: int = 0) -> None:
        try:
            self._sockets = tornado.netutil.bind_sockets(port, LOOPBACK)
        except (OSError, OverflowError) as problem:
            why = getattr(problem, "strerror", None) or problem
            raise ConfigError.at("port", "a free port", f"{port}: {why}") from None
        self.port: int = self._sockets[0].getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        self.url = f"http://{LOOPBACK}:{self.port}/?token={self.token}"
        self.bridge = Bridge()
        self.viewers: set[_Page] = set()
        self._before = comm.create_comm
        comm.create_comm = self.bridge.create_comm
        self._dashboard = monitor.dashboard()
        self.root_id: str = self._dashboard.screen().root.model_id
        self.acts = ThreadPoolExecutor(1, "aiops-serve-acts")  # an act may take seconds: pages are served meanwhile
        self.acts.submit(int).result()  # its thread begins, and ends, with the server
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._closed = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="aiops-serve", daemon=True)
        self._thread.start()
        if not self._ready.wait(CLOSE_SECONDS):
            raise AiopsError("serve: the server did not start")

    def __enter__(self) -> DashboardServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port, all pages and the dashboard; the monitor goes on. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(CLOSE_SECONDS)
        self.acts.shutdown(cancel_futures=True)
        self._dashboard.close()
        comm.create_comm = self._before

    def knows(self, token: str) -> bool:
        """Whether this is the token; takes as long for each wrong one."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        own = {"server": self}
        routes: list[Any] = [
            (r"/", _Index, own),
            (r"/socket", _Page, own),
            (r"/static/(app\.js|app\.css)", _File),
            (r"/module/([0-9a-f]{64})\.js", _Module, own),
            (bokeh_route("/"), _Bokeh),
        ]
        application = tornado.web.Application(
            routes,
            default_handler_class=_Nothing,
            log_function=_logged,
            websocket_max_message_size=MOST_MESSAGE_BYTES,
            websocket_ping_interval=20,
        )
        server = tornado.httpserver.HTTPServer(application, max_body_size=1 << 16, max_header_size=1 << 14)
        server.add_sockets(self._sockets)
        self._ready.set()
        while not self._stopping.is_set():
            for viewer in tuple(self.viewers):
                viewer.put(packed({"kind": "beat"}))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), BEAT_SECONDS)
        server.stop()
        for viewer in tuple(self.viewers):
            viewer.close(1001, "the server has ended")
        await server.close_all_connections()


def _logged(handler: tornado.web.RequestHandler) -> None:
    """A line without the query, which holds the token."""
    _log.debug("%s %s %d", handler.request.method, handler.request.path, handler.get_status())


class _Discreet(tornado.web.RequestHandler):
    """Logs no query: Tornado's own lines about errors would hold the token."""

    def log_exception(self, *problem: Any) -> None:
        """A line for what cannot be answered; the whole trace only of a fault of ours."""
        if isinstance(problem[1], tornado.web.HTTPError):
            _logged(self)
        else:
            _log.error("%s %s", self.request.method, self.request.path, exc_info=problem[1])


class _Guarded(_Discreet):
    """Answers only requests whose `Host` is this machine's loopback interface."""

    def prepare(self) -> None:
        try:
            name = urlsplit(f"//{self.request.host}").hostname
        except ValueError:
            name = None
        if name not in OWN_NAMES:
            raise tornado.web.HTTPError(403, reason="Host must be 127.0.0.1 or localhost")

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def write_error(self, status_code: int, **_keys: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {self._reason}\n")


class _Nothing(_Guarded):
    def prepare(self) -> None:
        super().prepare()
        raise tornado.web.HTTPError(404)


class _Index(_Guarded):
    def initialize(self, server: DashboardServer) -> None:
        self._server = server

    def get(self) -> None:
        _require_token(self, self._server)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish((PAGE / "index.html").read_bytes())


class _File(_Guarded):
    def get(self, name: str) -> None:
        self.set_header("Content-Type", f"{FILES[name]}; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish((PAGE / name).read_bytes())


class _Bokeh(_Guarded):
    def get(self, name: str) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"private, max-age={ONE_YEAR_SECONDS}, immutable")
        self.finish(bokeh_script(name).read_bytes())

    head = get


class _Module(_Guarded):
    def initialize(self, server: DashboardServer) -> None:
        self._server = server

    def get(self, digest: str) -> None:
        text = self._server.bridge.scripts.get(digest)
        if text is None:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish(text)


class _Page(_Discreet, tornado.websocket.WebSocketHandler):
    """One page that is open: sends frames in order, and takes what the page says."""

    def initialize(self, server: DashboardServer) -> None:
        self._server = server
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._sending: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        _Guarded.prepare(self)  # type: ignore[arg-type]
        _require_token(self, self._server)
        if len(self._server.viewers) >= MOST_VIEWERS:
            raise tornado.web.HTTPError(503, reason=f"{MOST_VIEWERS} pages are open already")

    def check_origin(self, origin: str) -> bool:
        found = urlsplit(origin)
        return found.scheme == "http" and found.netloc == self.request.host

    def open(self, *_arguments: str, **_named: str) -> None:
        self._server.viewers.add(self)
        self._sending = asyncio.create_task(self._send())
        self._server.acts.submit(self._begin)

    def _begin(self) -> None:
        self._server.bridge.attach(self)
        self.put(packed({"kind": "root", "comm": self._server.root_id}))

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._server.acts.submit(self._take, message)

    def _take(self, frame: bytes) -> None:
        try:
            self._server.bridge.receive(self, frame)
        except Exception as problem:  # external text: nothing that a page sends may end the server
            _log.warning("a message of a page was refused: %s", problem)

    def put(self, frame: bytes) -> None:
        """Send a frame soon; a page that does not keep up is closed, and begins again when it can."""
        with self._lock:
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._news.set)

    async def _send(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            with self._lock:
                frames, size = list(self._waiting), self._waiting_bytes
                self._waiting.clear()
                self._waiting_bytes = 0
            if size > MOST_WAITING_BYTES:
                self.close(1013, "this page did not keep up")
                return
            for frame in frames:
                try:
                    await self.write_message(frame, binary=True)
                except (tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
                    return

    def on_close(self) -> None:
        self._server.viewers.discard(self)
        self._server.bridge.detach(self)
        if self._sending is not None:
            self._sending.cancel()


def _require_token(handler: tornado.web.RequestHandler, server: DashboardServer) -> None:
    if not server.knows(handler.get_query_argument("token", "")):
        raise tornado.web.HTTPError(403, reason="Open the address that aiops-nb serve has printed, with its token")

"""A request to somebody else from time to time, who notices when it no longer comes: that the monitor is gone."""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
from urllib.parse import urlsplit

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_reference, resolved_text
from aiops_nb.core.types import Step
from aiops_nb.core.urls import mask_url, parse_http_url
from aiops_nb.notify.params import PingParams

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0


class Ping:
    """Pings in a thread of its own while steps come; a monitor that hangs pings no more, like one that is gone.

    A sink: it only counts the steps. An answer of 400 or more, and none at all, is shown with the monitor's warnings;
    the next ping is tried all the same. Redirects are not followed.

    Parameters
    ----------
    params
        Where and how often.

    Raises
    ------
    ConfigError
        If the reference of the URL cannot be read, or it is no URL.
    """

    def __init__(self, params: PingParams) -> None:
        self._params = params
        url = resolved_text(params.url, "ping.url")
        self._parts = parse_http_url(url, where="ping.url")
        self._shown = params.url if is_reference(params.url) else mask_url(params.url)
        self._steps = 0
        self._stopping = threading.Event()
        self.sent_total = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="aiops-ping", daemon=True)
        self._thread.start()

    def write(self, step: Step) -> None:
        """Note that the stream goes on."""
        self._steps += 1

    def close(self) -> None:
        """End the thread; may be called twice."""
        self._stopping.set()
        self._thread.join(CLOSE_SECONDS)

    def problems(self) -> dict[str, str]:
        """What is wrong now."""
        return {"ping": self.problem} if self.problem else {}

    def _run(self) -> None:
        seen = 0
        wait_seconds = min(1.0, self._params.interval_seconds)  # the first one soon: a wrong URL shows at once
        while not self._stopping.wait(wait_seconds):
            if self._steps == seen:
                continue
            seen = self._steps
            self._send()
            wait_seconds = self._params.interval_seconds

    def _send(self) -> None:
        try:
            status = _asked(self._parts.geturl(), self._params.timeout_seconds)
        except (OSError, http.client.HTTPException, ConfigError) as problem:
            self._note(f"{self._shown}: {type(problem).__name__}")
            return
        self.sent_total += 1
        self._note("" if status < 400 else f"{self._shown}: answered {status}")

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            _log.warning("ping: %s", problem)
        self.problem = problem


def _asked(url: str, timeout_seconds: float) -> int:
    """The status of one GET. Not `requests`: a ping needs neither its redirects, nor its proxies, nor its cookies."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout_seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        query = f"?{parts.query}" if parts.query else ""
        connection.request("GET", f"{parts.path or '/'}{query}", headers={"User-Agent": "aiops-nb"})
        return connection.getresponse().status
    except ValueError as problem:  # a path with a space or a line end
        raise ConfigError("ping.url: expected a URL that can be asked") from problem
    finally:
        connection.close()

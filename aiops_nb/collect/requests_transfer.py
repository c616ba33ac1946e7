"""The fall-back where pycurl cannot be imported: one probe by `requests`.

It times in Python, so a busy notebook is measured too; it knows no phases and no certificate, speaks HTTP/1.1 only, and
holds the timeout for connecting, for each read of the reply's head, and for the body as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import requests
import urllib3

from aiops_nb.collect.probe_result import Outcome
from aiops_nb.collect.probe_target import ProbeTarget
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.schemas import ErrorType


class RequestsTransfer:
    """A target ready to be asked; the parameters are those of `CurlTransfer`."""

    def __init__(self, target: ProbeTarget, timeout_seconds: float, is_closing: Callable[[], bool]) -> None:
        self._target = target
        self._timeout_seconds = timeout_seconds
        self._headers = SecretHeaders(target.headers)
        self._is_closing = is_closing
        self._own = requests.Session() if target.reuse_connection else None

    @staticmethod
    def make_handle() -> requests.Session:
        """What one worker thread keeps for all its transfers."""
        return requests.Session()

    def run(self, handle: requests.Session, *, may_abort: bool) -> Outcome:
        """Ask once; `may_abort` changes nothing here."""
        started = time.perf_counter()
        try:
            status, received = self._ask(self._own or handle, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            elapsed = time.perf_counter() - started
            return Outcome(
                duration_seconds=elapsed, status_code=_status_of(problem), error_type=classify_exception(problem)
            )
        return Outcome(duration_seconds=time.perf_counter() - started, status_code=status, response_bytes=received)

    def _ask(self, session: requests.Session, started: float) -> tuple[int, int | None]:
        target = self._target
        session.trust_env = not (urlsplit(target.url).hostname or "").startswith(("localhost", "127.", "::1"))
        session.max_redirects = target.max_redirects
        headers = {
            "User-Agent": "aiops-nb",
            **({} if self._own else {"Connection": "close"}),
            **self._headers.resolve(),
        }
        with session.request(
            target.method,
            target.url,
            headers=headers,
            data=None if target.body is None else target.body.encode(),
            timeout=self._timeout_seconds,
            allow_redirects=target.follow_redirects,
            verify=(target.ca_file or True) if target.verify_tls else False,
            stream=True,
        ) as response:
            return response.status_code, self._drain(response, started)

    def _drain(self, response: requests.Response, started: float) -> int | None:
        received = 0
        for piece in _pieces(response):
            received += len(piece)
            if time.perf_counter() - started > self._timeout_seconds:
                raise requests.Timeout(response=response)
            if received > self._target.max_body_bytes or self._is_closing():
                return None
        return received

    def close(self) -> None:
        """Give up the kept connection."""
        if self._own is not None:
            self._own.close()


def _status_of(problem: BaseException) -> int | None:
    response = getattr(problem, "response", None)
    return response.status_code if isinstance(response, requests.Response) else None


def _pieces(response: requests.Response) -> Iterator[bytes]:
    while piece := response.raw.read1(65_536):
        yield piece


def classify_exception(problem: BaseException) -> ErrorType:
    """Kind of a failure of `requests`, found in its chain of causes.

    Examples
    --------
    >>> classify_exception(requests.ReadTimeout()), classify_exception(requests.exceptions.SSLError())
    ('timeout', 'tls')
    """
    chain = list(_causes(problem))
    for kinds, error in _ERROR_OF_EXCEPTION:
        if any(isinstance(cause, kinds) for cause in chain):
            return error
    return "protocol"


# In this order: a name that does not resolve is also a failed connection, and that, in urllib3, a kind of timeout.
_ERROR_OF_EXCEPTION: tuple[tuple[tuple[type[BaseException], ...], ErrorType], ...] = (
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), "tls"),
    ((urllib3.exceptions.NameResolutionError,), "dns"),
    ((urllib3.exceptions.NewConnectionError, ConnectionRefusedError), "connect"),
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), "timeout"),
    ((ConnectionError, urllib3.exceptions.IncompleteRead), "reset"),
)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [problem]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]

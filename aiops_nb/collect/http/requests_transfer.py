"""The fall-back where pycurl cannot be imported: one probe by `requests`.

It times in Python, so a busy notebook is measured too; it knows no phases, and of certificates only the server's own
where it was verified; it speaks HTTP/1.1 only, and holds the timeout for connecting, for each read of the reply's head,
and for the body as a whole.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.schemas import ErrorType


class RequestsTransfer:
    """A target ready to be asked; the parameters are those of `CurlTransfer`."""

    def __init__(self, target: ProbeTarget, timeout_seconds: float, is_closing: Callable[[], bool]) -> None:
        self._target = target
        self._read_bytes, self._keeps_body = target.read_bytes, target.keeps_body
        self._timeout_seconds = timeout_seconds
        self._headers = SecretHeaders(target.headers)
        self._is_closing = is_closing
        self._own = self.make_handle() if target.reuse_connection else None
        self._certificate_expires: int | None = None

    @staticmethod
    def make_handle() -> requests.Session:
        """What one worker thread keeps for all its transfers."""
        session = requests.Session()
        session.mount("https://", _Adapter())
        return session

    def run(self, handle: requests.Session, *, may_abort: bool) -> Outcome:
        """Ask once; `may_abort` changes nothing here."""
        _NOTED.expires = self._certificate_expires if self._own else None
        started = time.perf_counter()
        try:
            status, received, body = self._ask(self._own or handle, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            elapsed = time.perf_counter() - started
            return Outcome(
                duration_seconds=elapsed,
                status_code=_status_of(problem),
                error_type=classify_exception(problem),
                error_detail=_reason(problem),
            )
        elapsed = time.perf_counter() - started
        self._certificate_expires = _NOTED.expires
        return Outcome(
            duration_seconds=elapsed,
            status_code=status,
            response_bytes=received,
            certificate_expires=self._certificate_expires,
            body=body,
        )

    def _ask(self, session: requests.Session, started: float) -> tuple[int, int | None, bytes | None]:
        target = self._target
        session.trust_env = not (urlsplit(target.url).hostname or "").startswith(("localhost", "127.", "::1"))
        session.max_redirects = target.max_redirects
        headers = {
            "User-Agent": "aiops-nb",
            **({"Accept-Encoding": None} if self._keeps_body else {}),
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
            return response.status_code, *self._drain(response, started)

    def _drain(self, response: requests.Response, started: float) -> tuple[int | None, bytes | None]:
        received, kept = 0, bytearray()
        for piece in _pieces(response):
            received += len(piece)
            if self._keeps_body:
                kept += piece
            if time.perf_counter() - started > self._timeout_seconds:
                raise requests.Timeout(response=response)
            if received > self._read_bytes or self._is_closing():
                return None, None
        return received, bytes(kept) if self._keeps_body else None

    def close(self) -> None:
        """Give up the kept connection."""
        if self._own is not None:
            self._own.close()


_NOTED = threading.local()


class _Connection(urllib3.connection.HTTPSConnection):
    """Notes for its thread when the certificate expires."""

    def connect(self) -> None:
        super().connect()
        certificate: dict[str, Any] = getattr(self.sock, "getpeercert", dict)() or {}
        expires = certificate.get("notAfter")
        _NOTED.expires = min(ssl.cert_time_to_seconds(expires) * 1_000_000_000, 2**63 - 1) if expires else None


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": urllib3.HTTPConnectionPool, "https": _Pool}


def _reason(problem: BaseException) -> str | None:
    """What the system or OpenSSL said; never the text of `requests`, which has the whole URL in it."""
    for cause in _causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, OSError) and cause.strerror and cause.errno:
            return cause.strerror
    return None


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

"""The fall-back where pycurl cannot be imported: one probe by `requests`.

It times in Python, so a busy notebook is measured too; it knows no phases, speaks HTTP/1.1 only, and holds the timeout
for connecting, for each read of the reply's head, and for the body as a whole. In all else it agrees with libcurl.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.utils import get_environ_proxies

from aiops_nb.collect.authorities import default_ca_file
from aiops_nb.collect.http.body import Body
from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.http.transfers.certificates import path_expiry_ns
from aiops_nb.collect.http.transfers.exchange import (
    SWITCHING_PROTOCOLS,
    Reply,
    Request,
    body_of,
    final_status,
    first_request,
    header_text,
    is_loopback,
    policy_of,
    with_body_headers,
)
from aiops_nb.collect.http.transfers.redirects import exchanged
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.schemas import ErrorType

MAX_INTERIM_REPLIES = 100


class RequestsTransfer:
    """A target ready to be asked; the parameters are those of `CurlTransfer`."""

    def __init__(self, target: ProbeTarget, timeout_seconds: float, is_closing: Callable[[], bool]) -> None:
        self._target = target
        self._body = body_of(target)
        self._policy = policy_of(target, timeout_seconds)
        self._headers = SecretHeaders(target.headers)
        self._is_closing = is_closing
        self._ca_file = target.ca_file or default_ca_file()
        self._session = _session(target, self._ca_file)
        self._certificate_expires: int | None = None

    @staticmethod
    def make_handle() -> _NoHandle:
        """What one worker thread keeps for all its transfers: nothing, each target has its own session."""
        return _NoHandle()

    def run(self, handle: _NoHandle, *, may_abort: bool) -> Outcome:
        """Ask once; `may_abort` changes nothing here."""
        first = first_request(self._target, self._headers.resolve(), self._body)
        return with_body_headers(exchanged(first, self._policy, self._send))

    def _send(self, request: Request, timeout_seconds: float) -> Reply:
        _NOTED.chain = None
        started = time.perf_counter()
        try:
            reply, received, kept = self._ask(request, timeout_seconds, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            failed = Outcome(
                duration_seconds=time.perf_counter() - started,
                status_code=final_status(_status_of(problem)),
                error_type=classify_exception(problem),
                error_detail=_reason(problem),
                certificate_expires=self._expires(request),
            )
            return Reply(outcome=failed, headers=lambda _: ())
        finally:
            if not self._target.reuse_connection:
                self._session.close()  # a server may close without saying so, and the next request must not use it
        outcome = Outcome(
            duration_seconds=time.perf_counter() - started,
            status_code=final_status(reply.status_code),
            response_bytes=received,
            certificate_expires=self._expires(request),
            body=None if kept is None else Body(raw=kept),
        )
        fields = reply.raw.headers
        return Reply(outcome=outcome, headers=lambda name: [_as_sent(value) for value in fields.getlist(name)])

    def _expires(self, request: Request) -> int | None:
        """The end of the certificates of this connection; a connection that is kept has those of its beginning."""
        if not request.url.startswith("https:"):
            return None
        if _NOTED.chain is not None:
            self._certificate_expires = path_expiry_ns(_NOTED.chain, self._ca_file)
        elif not self._target.reuse_connection:
            return None
        return self._certificate_expires

    def _ask(
        self, request: Request, timeout_seconds: float, started: float
    ) -> tuple[requests.Response, int | None, bytes | None]:
        with self._session.request(
            request.method,
            request.url,
            headers=self._sent_headers(request),
            data=request.body,
            timeout=timeout_seconds,
            allow_redirects=False,
            proxies={} if is_loopback(request.url) else get_environ_proxies(request.url),
            verify=(self._ca_file or True) if self._target.verify_tls else False,
            stream=True,
        ) as response:
            return response, *self._drain(response, timeout_seconds, started)

    def _sent_headers(self, request: Request) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"User-Agent": "aiops-nb", "Accept-Encoding": urllib3.util.SKIP_HEADER}
        if not self._target.reuse_connection:
            headers["Connection"] = "close"
        own = {name.lower() for name in request.headers}
        kept = {name: value for name, value in headers.items() if name.lower() not in own}
        return {**kept, **{name: value.strip().encode() for name, value in request.headers.items()}}

    def _drain(
        self, response: requests.Response, timeout_seconds: float, started: float
    ) -> tuple[int | None, bytes | None]:
        limit, keeps_body = self._target.read_bytes, self._target.keeps_body
        received, kept = 0, bytearray()
        for piece in _pieces(response):
            received += len(piece)
            if keeps_body:
                kept += piece
            if time.perf_counter() - started > timeout_seconds:
                raise requests.Timeout(response=response)
            if received > limit or self._is_closing():
                return None, None
        return received, bytes(kept) if keeps_body else None

    def close(self) -> None:
        """Give up the kept connection."""
        self._session.close()


class _NoHandle:
    def close(self) -> None:
        """Nothing is open."""


_NOTED = threading.local()


class _Socket(ssl.SSLSocket):
    """Notes for its thread which certificates the server sent, also when they are refused."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        finally:
            with suppress(ValueError, OSError, AttributeError):
                _NOTED.chain = _sent_chain(self)


def _sent_chain(connection: Any) -> list[bytes]:
    """DER, the server's own first: public since Python 3.13, there before."""
    if hasattr(connection, "get_unverified_chain"):
        return list(connection.get_unverified_chain() or ())
    import _ssl

    chain = connection._sslobj.get_unverified_chain() or ()
    return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in chain]


class _Response(http.client.HTTPResponse):
    """Reads on after interim replies, such as 103 Early Hints: the standard library does so for 100 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM_REPLIES):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine("101, although no other protocol was asked for")
            if final_status(status) is not None or status == http.client.CONTINUE:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim replies")


class _PlainConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _TlsConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


class _Session(requests.Session):
    """Looks for no redirect, since one that is malformed would raise before there is a reply."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def _session(target: ProbeTarget, ca_file: str | None) -> requests.Session:
    """Without cookies, netrc and settings of the environment: what a probe sends is what its target says."""
    context = _context(ca_file, target.verify_tls)
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(context))
    return session


@lru_cache(maxsize=64)
def _context(ca_file: str | None, verify_tls: bool) -> ssl.SSLContext:
    """One for all targets with the same authorities: a bundle takes milliseconds to read, and a megabyte."""
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = _Socket
    # As libcurl does: an issuer in the bundle is an authority too, and key identifiers may be missing.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _as_sent(value: str) -> str:
    """The value of a header: http.client reads Latin-1, whatever was sent."""
    return header_text(value.encode("latin-1", "replace"))


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

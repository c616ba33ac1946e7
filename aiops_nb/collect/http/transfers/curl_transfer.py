"""One probe as one blocking libcurl transfer, timed by libcurl outside the interpreter lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import msgspec
import pycurl

from aiops_nb.collect.authorities import default_ca_file
from aiops_nb.collect.http.body import Body
from aiops_nb.collect.http.result import MAX_DETAIL_CHARACTERS, Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.http.transfers.certificates import path_expiry_ns, pem_ders
from aiops_nb.collect.http.transfers.exchange import (
    SWITCHING_PROTOCOLS,
    Reply,
    Request,
    body_of,
    final_status,
    first_request,
    is_loopback,
    policy_of,
    with_body_headers,
)
from aiops_nb.collect.http.transfers.libcurl_handle import LibcurlHandle, load
from aiops_nb.collect.http.transfers.pycurl_handle import CurlHandle, Option, PycurlHandle, Settings
from aiops_nb.collect.http.transfers.redirects import exchanged
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.schemas import ErrorType
from aiops_nb.core.urls import mask_url


class CurlTransfer:
    """A target ready to be asked: its options prepared once, its own connection if it keeps one.

    Parameters
    ----------
    target
        What to ask.
    timeout_seconds
        Of the whole transfer, redirects included.
    is_closing
        Asked now and then during a transfer that may be aborted.
    """

    def __init__(self, target: ProbeTarget, timeout_seconds: float, is_closing: Callable[[], bool]) -> None:
        self._target = target
        self._headers = SecretHeaders(target.headers)
        self._body = body_of(target)
        self._policy = policy_of(target, timeout_seconds)
        self._first: Request | None = None
        self._first_settings: Settings | None = None
        if self._headers.are_constant:
            self._first = first_request(target, self._headers.resolve(), self._body)
            self._first_settings = _the_only(_settings(target, self._first, timeout_seconds))
        self._is_closing = is_closing
        self._own = self.make_handle() if target.reuse_connection else None

    def make_handle(self) -> CurlHandle:
        """What one worker thread keeps for all its transfers."""
        library = load()
        return PycurlHandle() if library is None else LibcurlHandle(library)

    def run(self, handle: CurlHandle, *, may_abort: bool) -> Outcome:
        """Ask once, on a worker's handle (or on the connection that is kept).

        `may_abort` lets `is_closing` end a silent transfer; each of its calls takes the interpreter lock, which under a
        busy notebook is measured too.
        """
        first = self._first or first_request(self._target, self._headers.resolve(), self._body)
        send = partial(self._send, self._own or handle, self._is_closing if may_abort else None)
        reply = exchanged(first, self._policy, send)
        return with_body_headers(reply)

    def _send(
        self, curl: CurlHandle, is_closing: Callable[[], bool] | None, request: Request, timeout_seconds: float
    ) -> Reply:
        settings = self._first_settings if request is self._first else None
        if settings is None:
            settings = _settings(self._target, request, timeout_seconds)
        started = time.monotonic()
        code = curl.ask(request.url.encode(), settings, is_closing)
        outcome = _outcome(curl, code, time.monotonic() - started, self._target.ca_file or default_ca_file())
        if outcome.error_type is not None:
            detail = self._without_secrets(curl.error_text, request.url)
            outcome = msgspec.structs.replace(outcome, error_detail=detail)
        return Reply(outcome=outcome, headers=curl.header_values)

    def _without_secrets(self, text: str, url: str) -> str | None:
        for secret in (self._target.url, url):
            text = text.replace(secret, mask_url(secret))
        return text[:MAX_DETAIL_CHARACTERS] or None

    def close(self) -> None:
        """Give up the kept connection."""
        if self._own is not None:
            self._own.close()


class PycurlTransfer(CurlTransfer):
    """The same through pycurl alone."""

    def make_handle(self) -> CurlHandle:
        """A handle of pycurl."""
        return PycurlHandle()


@lru_cache(maxsize=1024)
def _the_only(settings: Settings) -> Settings:
    """The same object for equal ones, so that a handle sees at a glance that nothing has changed."""
    return settings


def _settings(target: ProbeTarget, request: Request, timeout_seconds: float) -> Settings:
    timeout_ms = max(1, round(timeout_seconds * 1000))
    options: list[Option] = [
        (pycurl.NOSIGNAL, 1),
        (pycurl.TIMEOUT_MS, timeout_ms),
        (pycurl.CONNECTTIMEOUT_MS, timeout_ms),
        (pycurl.USERAGENT, "aiops-nb"),
        (pycurl.BUFFERSIZE, 131_072),  # fewer pieces, so fewer waits for the interpreter lock
    ]
    return Settings(
        options=(*options, *_connection(target, request), *_tls(target, request), *_request(request)),
        header_lines=_header_lines(request.headers),
        max_body_bytes=target.read_bytes,
        keeps_body=target.keeps_body,
    )


def _connection(target: ProbeTarget, request: Request) -> list[Option]:
    options: list[Option] = []
    if not target.reuse_connection:
        options += [(pycurl.FRESH_CONNECT, 1), (pycurl.FORBID_REUSE, 1)]
        options += [(pycurl.DNS_CACHE_TIMEOUT, 0), (pycurl.SSL_SESSIONID_CACHE, 0)]
    if is_loopback(request.url):
        options.append((pycurl.PROXY, ""))  # a proxy's loopback is not ours
    if target.http_version is not None:
        options.append((pycurl.HTTP_VERSION, _http_version(target.http_version)))
    return options


def _http_version(version: str) -> int:
    has_http2 = bool(pycurl.version_info()[4] & pycurl.VERSION_HTTP2)
    return int(pycurl.CURL_HTTP_VERSION_2TLS if version == "2" and has_http2 else pycurl.CURL_HTTP_VERSION_1_1)


def _tls(target: ProbeTarget, request: Request) -> list[Option]:
    if not request.url.startswith("https:"):
        return []
    options: list[Option] = [(pycurl.OPT_CERTINFO, 1)]
    if not target.verify_tls:
        options += [(pycurl.SSL_VERIFYPEER, 0), (pycurl.SSL_VERIFYHOST, 0)]
    ca_file = target.ca_file or default_ca_file()
    if ca_file is not None:
        options.append((pycurl.CAINFO, ca_file.encode()))
    return options


def _request(request: Request) -> list[Option]:
    options: list[Option] = []
    if request.method == "HEAD":
        options.append((pycurl.NOBODY, 1))
    if request.body is not None or request.method == "POST":
        options.append((pycurl.POSTFIELDS, request.body or b""))
    if request.method not in ("GET", "HEAD") or request.body is not None:
        options.append((pycurl.CUSTOMREQUEST, request.method))
    return options


def _header_lines(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    # "Expect:" removes libcurl's own wait for "100 Continue", which would be counted as the server's
    own = {name.lower() for name in headers}
    removed = tuple(b"%s:" % name.encode() for name in ("Expect", "Content-Type") if name.lower() not in own)
    return (*removed, *(_header_line(name, value) for name, value in headers.items()))


def _header_line(name: str, value: str) -> bytes:
    return f"{name}: {value}".encode() if value else f"{name};".encode()  # "Name:" would remove it


def _outcome(curl: CurlHandle, code: int, elapsed_seconds: float, ca_file: str | None) -> Outcome:
    status = final_status(curl.getinfo(pycurl.RESPONSE_CODE))
    error: ErrorType | None = classify_curl(code, curl.getinfo(pycurl.OS_ERRNO)) if code else None
    if curl.getinfo(pycurl.RESPONSE_CODE) == SWITCHING_PROTOCOLS:
        error = "protocol"  # libcurl takes what follows for another protocol's, although nothing else was asked for
    total = curl.getinfo(pycurl.TOTAL_TIME) or elapsed_seconds
    resolve, connect, tls, wait, transfer = _phases(curl, total, status is not None)
    return Outcome(
        duration_seconds=total,
        status_code=status,
        error_type=error,
        response_bytes=None if status is None else curl.received_bytes,
        resolve_seconds=resolve,
        connect_seconds=connect,
        tls_seconds=tls,
        wait_seconds=wait,
        transfer_seconds=transfer,
        certificate_expires=_expiry_ns(curl, ca_file) if tls is not None or error else None,
        body=None if curl.body is None else Body(raw=curl.body),
    )


def _phases(curl: CurlHandle, total: float, replied: bool) -> tuple[float | None, ...]:
    """Split libcurl's cumulative times; a phase that did not happen is None."""
    marks = [curl.getinfo(i) for i in (pycurl.NAMELOOKUP_TIME, pycurl.CONNECT_TIME, pycurl.APPCONNECT_TIME)]
    if marks[1] and curl.getinfo(pycurl.NUM_CONNECTS) == 0:
        marks = [0.0, 0.0, 0.0]  # a kept connection
    marks += [curl.getinfo(pycurl.STARTTRANSFER_TIME), total] if replied else [0.0, 0.0]
    phases: list[float | None] = []
    before = 0.0
    for mark in marks:
        phases.append(max(0.0, mark - before) if mark else None)
        before = max(before, mark)
    return tuple(phases)


def _expiry_ns(curl: CurlHandle, ca_file: str | None) -> int | None:
    chain = curl.getinfo(pycurl.INFO_CERTINFO)
    pems = "".join(value for certificate in chain for field, value in certificate if field == "Cert")
    return path_expiry_ns(list(pem_ders(pems)), ca_file)


# Numbers of libcurl's CURLcode: they never change (https://curl.se/libcurl/c/libcurl-errors.html),
# while the names that pycurl exports differ between versions.
_TLS_CODES = (35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98)
_ERROR_OF_CODE: Mapping[int, ErrorType] = {
    28: "timeout",
    5: "dns",
    6: "dns",
    7: "connect",
    97: "connect",
    18: "reset",  # the connection ended before the announced length
    52: "reset",  # the connection ended before any reply
    55: "reset",
    **dict.fromkeys(_TLS_CODES, "tls"),
}
_RECEIVE_ERROR = 56


def classify_curl(code: int, os_errno: int) -> ErrorType:
    """Kind of a libcurl error.

    Whatever is not of the network is `protocol`: the peer spoke, and not proper HTTP. libcurl's receive error (56)
    covers both; only one of the network leaves an errno.

    Examples
    --------
    >>> classify_curl(7, 111), classify_curl(56, 104), classify_curl(56, 0), classify_curl(47, 0)
    ('connect', 'reset', 'protocol', 'protocol')
    """
    if code == _RECEIVE_ERROR:
        return "reset" if os_errno else "protocol"
    return _ERROR_OF_CODE.get(code, "protocol")

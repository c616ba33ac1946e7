"""One page fetched by libcurl: within a time limit and a size limit, decompressed, and safe to report on.

Not by `requests`: its time limit is of each read, so that a server that sends a byte a second would never end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiops_nb.collect.authorities import check_ca_file, default_ca_file
from aiops_nb.collect.http.transfers.exchange import is_loopback
from aiops_nb.collect.names import ascii_url
from aiops_nb.collect.secrets import SecretHeaders
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import resolved_text
from aiops_nb.core.urls import mask_url, parse_http_url

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"
OPEN_METRICS = "application/openmetrics-text"
_OK = 200
_LETTERS = 200


class ScrapeError(OSError):
    """A page that did not come, or cannot be used: why, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it came, decompressed."""

    content: bytes
    content_type: str

    @property
    def is_open_metrics(self) -> bool:
        """Whether it says that it is OpenMetrics."""
        return self.content_type.partition(";")[0].strip().lower() == OPEN_METRICS


class PageFetcher:
    """Fetches one page again and again, on one connection.

    Redirects are not followed: they would take a token to where it was not meant for.

    Parameters
    ----------
    url
        With user info or not; never shown with it.
    headers
        Sent as well; values may be references, which are read at each use.
    token
        Sent as `Authorization: Bearer`; a reference is read at each use.
    ca_file
        PEM bundle in place of the default authorities.
    verify_tls
        Whether the certificate is checked.
    timeout_seconds
        Of the whole transfer.
    max_bytes
        Of the decompressed page.

    Raises
    ------
    ConfigError
        Naming the parameter.

    Examples
    --------
    >>> fetcher = PageFetcher("http://joe:pw@127.0.0.1:9/metrics", timeout_seconds=1.0, max_bytes=1000)
    >>> fetcher
    PageFetcher('http://127.0.0.1:9/metrics')
    >>> fetcher.close()
    """

    def __init__(
        self,
        url: str,
        *,
        headers: SecretHeaders | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        verify_tls: bool = True,
        timeout_seconds: float,
        max_bytes: int,
    ) -> None:
        parse_http_url(url)
        if ca_file is not None:
            check_ca_file(ca_file, "ca_file")
        self._url, self._sent_url = url, ascii_url(url)
        self._headers, self._token = headers or SecretHeaders({}), token
        if token is not None:
            resolved_text(token, "token")
        self._tls = verify_tls, ca_file or default_ca_file()
        self._timeout_seconds, self._max_bytes = timeout_seconds, max_bytes
        self._is_closing = threading.Event()
        self._curl: _Curl | None = None

    def __repr__(self) -> str:
        return f"PageFetcher({mask_url(self._url)!r})"

    def fetch(self) -> Page:
        """The page.

        Raises
        ------
        ScrapeError
            If it did not come whole in time, is too large, or its status is not 200.
        """
        if self._curl is None:
            self._curl = _Curl(self._sent_url, self._tls, self._timeout_seconds)
        page, problem = self._curl.get(self._header_lines(), self._max_bytes, self._is_closing.is_set)
        if problem:
            raise ScrapeError(problem.replace(self._sent_url, mask_url(self._url))[:_LETTERS])
        return page

    def _header_lines(self) -> list[str]:
        headers = {"Accept": ACCEPT, **self._headers.resolve()}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {resolved_text(self._token, 'token').strip()}"
        return [f"{name}: {value}" for name, value in headers.items()]

    def abort(self) -> None:
        """Make a running `fetch` of another thread end soon."""
        self._is_closing.set()

    def close(self) -> None:
        """Give up the connection; not while `fetch` runs."""
        self._is_closing.set()
        if self._curl is not None:
            self._curl.close()
            self._curl = None


class _Curl:
    def __init__(self, url: str, tls: tuple[bool, str | None], timeout_seconds: float) -> None:
        try:
            import pycurl
        except ImportError:
            raise ConfigError("type: prometheus needs pycurl: pip install pycurl") from None
        self._pycurl = pycurl
        self._curl = curl = pycurl.Curl()
        verify, ca_file = tls
        milliseconds = max(1, round(timeout_seconds * 1000))
        curl.setopt(pycurl.URL, url.encode())
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds)
        curl.setopt(pycurl.USERAGENT, "aiops-nb")
        curl.setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.BUFFERSIZE, 131_072)
        curl.setopt(pycurl.NOPROGRESS, 0)
        if not verify:
            curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        if ca_file is not None:
            curl.setopt(pycurl.CAINFO, ca_file.encode())
        if is_loopback(url):
            curl.setopt(pycurl.PROXY, "")  # a proxy's loopback is not ours

    def get(self, headers: Sequence[str], max_bytes: int, is_closing: Callable[[], bool]) -> tuple[Page, str]:
        """The page, and what was wrong with it; empty if nothing was."""
        pycurl, curl = self._pycurl, self._curl
        body = bytearray()

        def take(piece: bytes) -> int | None:
            body.extend(piece)
            return -1 if len(body) > max_bytes else None

        curl.setopt(pycurl.HTTPHEADER, list(headers))
        curl.setopt(pycurl.WRITEFUNCTION, take)
        curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: 1 if is_closing() else 0)
        problem = ""
        try:
            curl.perform()
        except pycurl.error as error:
            problem = f"more than {max_bytes:,} bytes" if len(body) > max_bytes else str(error.args[-1])
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        if not problem and status != _OK:
            problem = f"HTTP status {status}"
        return Page(content=bytes(body), content_type=curl.getinfo(pycurl.CONTENT_TYPE) or ""), problem

    def close(self) -> None:
        self._curl.close()

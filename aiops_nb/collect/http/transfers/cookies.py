"""The cookies of one probe: what a redirect sets is sent to the hosts, paths and schemes it is for."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import Request as JarRequest

MAX_COOKIES = 50  # a probe needs few, and what a server may make us hold is bounded


class ProbeCookies:
    """Kept from one redirect to the next, and for one probe only: the next probe begins without any.

    Examples
    --------
    >>> cookies = ProbeCookies()
    >>> cookies.take("http://127.0.0.1/a/b", ["sid=1; Path=/a", "theme=dark; Secure"])
    >>> cookies.header("http://127.0.0.1/a/c"), cookies.header("http://127.0.0.1/b")
    ('sid=1', None)
    """

    def __init__(self) -> None:
        self._jar = CookieJar(_Policy())

    def take(self, url: str, set_cookies: Sequence[str]) -> None:
        """Keep what the `Set-Cookie` headers of a reply from this URL ask for."""
        fields = Message()
        for line in set_cookies[:MAX_COOKIES]:
            fields["Set-Cookie"] = line
        self._jar.extract_cookies(_JarReply(fields), JarRequest(url))  # type: ignore[arg-type]

    def header(self, url: str, own: str | None = None) -> str | None:
        """The `Cookie` header for this URL: those of the target's own header, and kept ones, which win.

        Parameters
        ----------
        url
            Where the request goes.
        own
            The target's own `Cookie` header, if it may be sent there.
        """
        request = JarRequest(url)
        self._jar.add_cookie_header(request)
        kept = request.get_header("Cookie")
        if own is None or kept is None:
            return kept if own is None else own
        names = {pair.partition("=")[0].strip() for pair in kept.split(";")}
        first = [pair.strip() for pair in own.split(";") if pair.partition("=")[0].strip() not in names]
        return "; ".join([*(pair for pair in first if pair), kept])


class _JarReply:
    """What the jar of the standard library wants of a reply."""

    def __init__(self, fields: Message) -> None:
        self._fields = fields

    def info(self) -> Message:
        return self._fields


class _Policy(DefaultCookiePolicy):
    """That of the standard library, which takes no cookie whose domain is a host without a dot, such as localhost."""

    def set_ok_domain(self, cookie: Cookie, request: Any) -> bool:
        return _is_for_host(cookie.domain, request) or bool(super().set_ok_domain(cookie, request))

    def domain_return_ok(self, domain: str, request: Any) -> bool:
        return _is_for_host(domain, request) or bool(super().domain_return_ok(domain, request))

    def return_ok_domain(self, cookie: Cookie, request: Any) -> bool:
        return _is_for_host(cookie.domain, request) or bool(super().return_ok_domain(cookie, request))


def _is_for_host(domain: str, request: JarRequest) -> bool:
    host = request.host.rpartition("@")[2].partition(":")[0].lower()
    return bool(host) and domain.lstrip(".").lower() == host

"""Redirects, followed as browsers do (Fetch, "HTTP-redirect fetch") and the same for every library that sends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.transfers.cookies import ProbeCookies
from aiops_nb.collect.http.transfers.exchange import Policy, Reply, Request, Send
from aiops_nb.collect.names import ascii_url
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import ErrorType

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_BODY = {"content-type", "content-length", "content-encoding", "content-language", "content-location"}
_OF_HOST = {"host"}
_PORTS = {"http": 80, "https": 443}
_SUMMED = (
    "duration_seconds",
    "resolve_seconds",
    "connect_seconds",
    "tls_seconds",
    "wait_seconds",
    "transfer_seconds",
)


def exchanged(first: Request, policy: Policy, send: Send) -> Reply:
    """The last reply, its outcome that of all requests: times are summed, the earliest certificate counts.

    - 303, and 301 or 302 after a POST, go on as GET without a body; all others repeat method and body.
    - Headers that hold secrets, and `Host`, are dropped for good by a redirect to another host or port or from https to
      http. From http to https on the default ports they stay.
    - A body that holds secrets is not repeated there: the probe has failed.
    - Cookies that a redirect sets are sent on, to the hosts, paths and schemes that they are for.

    Parameters
    ----------
    first
        Sent first.
    policy
        How redirects are followed.
    send
        Sends one request within so many seconds.
    """
    request = first
    own_cookie = _cookie_of(first.headers)
    cookies = ProbeCookies()
    outcomes: list[Outcome] = []
    while True:
        left_seconds = policy.timeout_seconds - sum(outcome.duration_seconds for outcome in outcomes)
        if left_seconds <= 0:
            return _failed(outcomes, "timeout", "no time was left after a redirect")
        reply = send(request, left_seconds)
        outcomes.append(reply.outcome)
        location = _location(reply) if policy.follow else None
        if location is None:
            return reply if len(outcomes) == 1 else msgspec.structs.replace(reply, outcome=_joined(outcomes))
        if len(outcomes) > policy.max_redirects:
            return _failed(outcomes, "protocol", f"more than {policy.max_redirects} redirects")
        cookies.take(request.url, reply.headers("set-cookie"))
        try:
            url = _resolved(request.url, location)
        except ConfigError:
            return _failed(outcomes, "protocol", "a redirect to what is not a URL of http or https")
        is_elsewhere = not _is_same_place(urlsplit(request.url), urlsplit(url))
        if is_elsewhere:
            own_cookie = None
        request = _next(request, url, reply.outcome.status_code or 0, policy.secret_names)
        if is_elsewhere and policy.is_body_secret and request.body is not None:
            return _failed(outcomes, "protocol", "a redirect that would take a secret body to another host")
        request = _with_cookies(request, cookies, own_cookie)


def _cookie_of(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "cookie"), None)


def _location(reply: Reply) -> str | None:
    """Where a redirect leads; None for another reply."""
    if reply.outcome.error_type is not None or reply.outcome.status_code not in REDIRECTS:
        return None
    return next((value for line in reply.headers("location")[:1] if (value := line.strip(" \t"))), None)


def _resolved(base: str, location: str) -> str:
    """The URL that a redirect leads to, in ASCII and without userinfo.

    Raises
    ------
    ConfigError
        If it is not one of http or https.
    """
    try:
        parts = urlsplit(ascii_url(urljoin(base, location)))
        is_of_web = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_of_web = False
    if not is_of_web:
        raise ConfigError("location: expected a URL of http or https")
    host = parts.netloc.rpartition("@")[2]  # credentials that a server makes up are not sent
    return parts._replace(netloc=host, path=parts.path or "/").geturl()


def _next(request: Request, url: str, status: int, secret_names: Collection[str]) -> Request:
    becomes_get = (status == 303 and request.method != "HEAD") or (status in (301, 302) and request.method == "POST")
    dropped = set(_OF_BODY) if becomes_get else set()
    if not _is_same_place(urlsplit(request.url), urlsplit(url)):
        dropped |= {*secret_names, *_OF_HOST}
    return Request(
        url=url,
        method="GET" if becomes_get else request.method,
        headers={name: value for name, value in request.headers.items() if name.lower() not in dropped},
        body=None if becomes_get else request.body,
    )


def _is_same_place(before: SplitResult, after: SplitResult) -> bool:
    """Whether secrets may go there: the same scheme, host and port, or the same host from port 80 to https on 443."""
    if before.hostname != after.hostname:
        return False
    ports = [parts.port or _PORTS[parts.scheme] for parts in (before, after)]
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return before.scheme == "http" and ports == [_PORTS["http"], _PORTS["https"]]


def _with_cookies(request: Request, cookies: ProbeCookies, own: str | None) -> Request:
    headers = {name: value for name, value in request.headers.items() if name.lower() != "cookie"}
    cookie = cookies.header(request.url, own)
    return msgspec.structs.replace(request, headers=headers if cookie is None else {**headers, "Cookie": cookie})


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    sums = {name: _sum([getattr(outcome, name) for outcome in outcomes]) for name in _SUMMED}
    expiries = [one.certificate_expires for one in outcomes if one.certificate_expires is not None]
    return msgspec.structs.replace(outcomes[-1], **sums, certificate_expires=min(expiries, default=None))


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _failed(outcomes: Sequence[Outcome], error: ErrorType, detail: str) -> Reply:
    failed = msgspec.structs.replace(_joined(outcomes), error_type=error, error_detail=detail, body=None)
    return Reply(outcome=failed, headers=lambda _: ())

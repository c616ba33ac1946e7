"""One request and its reply, whichever library sends it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from aiops_nb.collect.http.body import Body
from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.names import ascii_url
from aiops_nb.collect.secrets import secret_names
from aiops_nb.core.references import is_reference, resolved_text

SWITCHING_PROTOCOLS = 101
_FIRST_FINAL = 200
_FORM = "application/x-www-form-urlencoded"  # what curl says of a body of which nothing is said


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: the URL in ASCII and without userinfo, headers by their names as they are written."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.headers)} headers)"  # never what they hold


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came: the outcome of this one request, and its headers by lower-case name."""

    outcome: Outcome
    headers: Callable[[str], Sequence[str]]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How far redirects are followed, in how much time; which headers (lower-case names) hold secrets, and the body."""

    follow: bool
    max_redirects: int
    timeout_seconds: float
    secret_names: frozenset[str]
    is_body_secret: bool


Send: TypeAlias = Callable[[Request, float], Reply]


def policy_of(target: ProbeTarget, timeout_seconds: float) -> Policy:
    """How redirects of the target are followed.

    Examples
    --------
    >>> sorted(policy_of(ProbeTarget(url="http://h/", headers={"X-Key": "a", "Accept": "b"}), 1.0).secret_names)
    ['authorization', 'cookie', 'proxy-authorization', 'x-key']
    """
    return Policy(
        follow=target.follow_redirects,
        max_redirects=target.max_redirects,
        timeout_seconds=timeout_seconds,
        secret_names=secret_names(target.headers),
        is_body_secret=target.body is not None and is_reference(target.body),
    )


def body_of(target: ProbeTarget) -> bytes | None:
    """The body that a probe of the target sends, its references resolved.

    Examples
    --------
    >>> body_of(ProbeTarget(url="http://h/", method="POST", body="a=1"))
    b'a=1'
    """
    return None if target.body is None else resolved_text(target.body, "body").encode()


def first_request(target: ProbeTarget, headers: Mapping[str, str], body: bytes | None) -> Request:
    """What a probe of the target sends first.

    Parameters
    ----------
    target
        Its userinfo becomes an `Authorization` header, unless it has one.
    headers, body
        Its headers and body, with what their references refer to.

    Examples
    --------
    >>> first_request(ProbeTarget(url="http://joe:pw@h/a"), {}, None).headers
    {'Authorization': 'Basic am9lOnB3'}
    """
    parts = urlsplit(ascii_url(target.url))
    userinfo, _, location = parts.netloc.rpartition("@")
    all_headers = dict(headers)
    names = {name.lower() for name in headers}
    if userinfo and "authorization" not in names:
        user, _, password = userinfo.partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        all_headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    if body is not None and "content-type" not in names:
        all_headers["Content-Type"] = _FORM
    url = urlunsplit((parts.scheme, location, parts.path or "/", parts.query, ""))
    return Request(url=url, method=target.method, headers=all_headers, body=body)


def final_status(code: int | None) -> int | None:
    """The status code of an answer; None for none, and for an interim one (1xx) that no answer followed.

    Examples
    --------
    >>> final_status(200), final_status(103), final_status(0)
    (200, None, None)
    """
    return code if code is not None and code >= _FIRST_FINAL else None


def with_body_headers(reply: Reply) -> Outcome:
    """The outcome, its body with the headers that say how to read it."""
    outcome = reply.outcome
    if outcome.body is None:
        return outcome
    content_type = next(iter(reply.headers("content-type")), "")
    encoding = ", ".join(reply.headers("content-encoding"))
    body = Body(raw=outcome.body.raw, content_type=content_type, content_encoding=encoding)
    return msgspec.structs.replace(outcome, body=body)


def header_text(value: bytes) -> str:
    r"""The value of a header: UTF-8 where it is, else Latin-1.

    Examples
    --------
    >>> header_text(b"/\xc3\xbc"), header_text(b"/\xfc")
    ('/ü', '/ü')
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def is_loopback(url: str) -> bool:
    """Whether a URL is of this machine, so that no proxy may be asked: a proxy's loopback is not ours.

    Examples
    --------
    >>> is_loopback("http://localhost:1/"), is_loopback("http://[::1]/"), is_loopback("http://example.org/")
    (True, True, False)
    """
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")

"""Links in messages to the page on which an alert is answered: bound to one alert, and valid for a time. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_reference
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.core.urls import parse_http_url

Positive = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]
PATH = "/alerts/"


class AnswerPageParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page that messages link to.

    Attributes
    ----------
    port
        Of the listener; 0 takes a free one.
    listen_on
        An address of this machine.
    url
        What links begin with, where people reach the page through a tunnel or a proxy; None: `http://127.0.0.1:PORT`.
    secret
        A reference (`env:NAME` or `file:PATH`) to what links are signed with; None: a secret of the run, so that links
        of an earlier run are refused.
    link_seconds
        How long a link is valid, from the moment its message was due.

    Raises
    ------
    ConfigError
        For a literal secret, which is not shown, and for an invalid URL.

    Examples
    --------
    >>> AnswerPageParams(port=8095, secret="env:AIOPS_ANSWERS").listen_on
    '127.0.0.1'
    """

    port: Port = 0
    listen_on: str = "127.0.0.1"
    url: str | None = None
    secret: str | None = None
    link_seconds: Positive = 86_400.0

    def __post_init__(self) -> None:
        if self.secret and not is_reference(self.secret):
            raise ConfigError("secret: expected a reference (env:NAME or file:PATH), got a literal (not shown)")
        if self.url is not None:
            parts = parse_http_url(self.url)
            if parts.query or parts.fragment or "@" in parts.netloc:
                raise ConfigError("url: expected a URL without user, query and fragment, got one with (not shown)")


class AnswerLinks:
    """Makes the links, and checks those that come back.

    A link holds the fingerprint of its alert, when it expires, and an HMAC-SHA256 of both: whoever has it can answer
    that alert until then, and no other.

    Parameters
    ----------
    base
        What links begin with.
    secret
        Signs them.
    link_seconds
        How long each is valid.

    Examples
    --------
    >>> links = AnswerLinks("http://127.0.0.1:8095", b"secret", link_seconds=60)
    >>> url = links.link("f0", at_ns=0)
    >>> url.partition("&token=")[0]
    'http://127.0.0.1:8095/alerts/f0?expires=60'
    >>> token = url.partition("&token=")[2]
    >>> [links.is_valid("f0", "60", token, now_ns=second * 10**9) for second in (59, 60)]
    [True, False]
    >>> links.is_valid("f1", "60", token, now_ns=0), links.is_valid("f0", "61", token, now_ns=0)
    (False, False)
    """

    def __init__(self, base: str, secret: bytes, link_seconds: float) -> None:
        self._base = base.rstrip("/")
        self._secret = secret
        self._link_seconds = link_seconds

    def link(self, fingerprint: str, at_ns: int) -> str:
        """The link of an alert whose message was due at that time."""
        expires = str(round(at_ns / NS_PER_SECOND + self._link_seconds))
        return f"{self._base}{PATH}{fingerprint}?expires={expires}&token={self._token(fingerprint, expires)}"

    def is_valid(self, fingerprint: str, expires: str, token: str, now_ns: int) -> bool:
        """Whether a link was made by us, for that alert, and has not expired."""
        expected = self._token(fingerprint, expires)
        if not hmac.compare_digest(expected.encode(), token.encode()):
            return False
        return now_ns < int(expires) * NS_PER_SECOND

    def _token(self, fingerprint: str, expires: str) -> str:
        return hmac.new(self._secret, f"{fingerprint}\0{expires}".encode(), hashlib.sha256).hexdigest()

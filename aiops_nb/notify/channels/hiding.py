"""Keeps secrets out of what receivers answer and of what libraries log."""

from __future__ import annotations

import logging
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

LEAST_CHARACTERS = 4  # a shorter text would hide ordinary words
HIDDEN = "***"
_CHATTY = ("urllib3.connectionpool", "requests", "apprise")  # they log whole URLs, at the level DEBUG


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret hidden, also where it is quoted for a URL or in base64.

    Examples
    --------
    >>> without_secrets("invalid token xoxb-1234 (eG94Yi0xMjM0)", ["xoxb-1234"])
    'invalid token *** (***)'
    """
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= LEAST_CHARACTERS}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _forms(secret: str) -> set[str]:
    words = {secret, *secret.split()} if secret.lower().startswith(("bearer ", "basic ", "token ")) else {secret}
    quoted = {form for word in words for form in (quote(word, safe=""), quote_plus(word), unquote(word))}
    return words | quoted | {b64encode(word.encode()).decode().rstrip("=") for word in words}


def secrets_of_url(url: str, *, with_path: bool = False) -> list[str]:
    """What in a URL must not be shown: user info and the values of its query, and of a secret URL its path.

    Examples
    --------
    >>> secrets_of_url("https://user:pass@h/hook?token=t1234"), secrets_of_url("https://h/T0/B0/x", with_path=True)
    (['user', 'pass', 't1234'], ['/T0/B0/x', 'x'])
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    path = [parts.path, parts.path.rpartition("/")[2]] if with_path else []
    values = [value for _, value in parse_qsl(parts.query)]
    return [one for one in (parts.username, parts.password, *values, *path) if one]


class _WhileSending(logging.Filter):
    """Drops what libraries log below INFO while something is sent, in any thread: Apprise sends from several."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._sending = 0

    def change(self, by: int) -> None:
        """One more is sending, or one less."""
        with self._lock:
            self._sending += by

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        return record.levelno >= logging.INFO or not self._sending


_FILTER = _WhileSending()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Within it, the libraries that send log no URLs and no payloads."""
    for name in _CHATTY:
        logging.getLogger(name).addFilter(_FILTER)  # adds it once
    _FILTER.change(+1)
    try:
        yield
    finally:
        _FILTER.change(-1)

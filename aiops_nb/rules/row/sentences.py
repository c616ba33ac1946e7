"""Summaries of alerts on rows: which responses or failures, and how many in a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiops_nb.core.quantities import format_duration
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import SeriesKey

MAX_DETAIL_CHARACTERS = 200
FAILURES = {
    "timeout": "timed out",
    "dns": "host name not found",
    "connect": "connection refused",
    "tls": "TLS handshake failed",
    "reset": "connection reset",
    "protocol": "invalid HTTP response",
    "assertion": "response check failed",
}
FAILED = "failed"  # of a kind that somebody else named
PROBE: Origin = "probe"
_TIMED_OUT = re.compile(r"timed out after (\d+) (?:milliseconds|ms)(?: with (\d+)(?: out of \d+)? bytes)?", re.I)
_KINDS_OF_CONNECT = (
    (re.compile(r"timed? ?out", re.I), "connection timed out"),
    (re.compile(r"unreachable|no route", re.I), "host unreachable"),
)


def responses_sentence(key: SeriesKey, status_codes: Sequence[int], count: int) -> str:
    """Consecutive responses of a class, the latest of which are given.

    Examples
    --------
    >>> shop = SeriesKey("shop", origin="probe")
    >>> responses_sentence(shop, [502, 500, 502], 3), responses_sentence(shop, [503, 503], 2)
    ('shop: 3 consecutive 5xx responses (502, 500, 502)', 'shop: 2 consecutive 503 responses')
    >>> responses_sentence(shop, [500], 1), responses_sentence(shop, [502, 500, 500, 500, 500], 9)
    ('shop: 500 response', 'shop: 9 consecutive 5xx responses (latest 502, 500, 500, 500, 500)')
    """
    if count == 1:
        return f"{key.target}: {status_codes[-1]} response"
    if len(set(status_codes)) == 1 and len(status_codes) == count:
        return f"{key.target}: {count} consecutive {status_codes[0]} responses"
    latest = "latest " if len(status_codes) < count else ""
    codes = ", ".join(str(code) for code in status_codes)
    return f"{key.target}: {count} consecutive {status_codes[-1] // 100}xx responses ({latest}{codes})"


def failures_sentence(
    key: SeriesKey, kinds: Sequence[str], count: int, detail: str, duration_seconds: float = float("nan")
) -> str:
    """Consecutive requests without a valid response: the latest kinds of failure, and what is known of the last one.

    Examples
    --------
    >>> shop = SeriesKey("shop", origin="probe")
    >>> failures_sentence(shop, ["connect"] * 3, 3, "Could not connect to server")
    'shop: connection refused (3 consecutive probes)'
    >>> failures_sentence(shop, ["timeout"], 1, "Operation timed out after 901 milliseconds with 0 bytes received")
    'shop: timed out after 901 ms, no bytes received'
    >>> failures_sentence(SeriesKey("shop", origin="traffic"), ["dns", "timeout"], 2, "")
    'shop: 2 consecutive failed requests (host name not found, timed out)'
    """
    what = "probes" if key.origin == PROBE else "requests"
    if len(set(kinds)) > 1:
        latest = "latest " if len(kinds) < count else ""
        names = ", ".join(FAILURES.get(kind, kind or FAILED) for kind in kinds)
        return f"{key.target}: {count} consecutive failed {what} ({latest}{names})"
    failure = _failure(kinds[-1], detail, duration_seconds)
    return f"{key.target}: {failure}{f' ({count} consecutive {what})' if count > 1 else ''}"


def _failure(kind: str, detail: str, duration_seconds: float) -> str:
    if kind == "timeout":
        return _timeout(detail, duration_seconds)
    if kind == "connect":
        return next((said for pattern, said in _KINDS_OF_CONNECT if pattern.search(detail)), FAILURES[kind])
    if kind == "assertion" and detail:
        return f"{FAILURES[kind]}: {detail}"
    return FAILURES.get(kind, kind or FAILED)


def _timeout(detail: str, duration_seconds: float) -> str:
    match = _TIMED_OUT.search(detail)
    if match is None:
        known = duration_seconds == duration_seconds
        return f"timed out after {format_duration(duration_seconds)}" if known else FAILURES["timeout"]
    received = {None: "", "0": ", no bytes received"}.get(match[2], f", {match[2]} bytes received")
    return f"timed out after {format_duration(int(match[1]) / 1000)}{received}"


def one_line(text: str | None) -> str:
    r"""A message on one line, cut: anybody who sends rows may have written it.

    Examples
    --------
    >>> one_line("line 1\n  line 2"), one_line(None)
    ('line 1 line 2', '')
    """
    return " ".join(text.split())[:MAX_DETAIL_CHARACTERS] if text else ""

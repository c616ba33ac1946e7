"""What an alert says to people."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from aiops_nb.core.readable import readable, readable_name, unit_name
from aiops_nb.core.types import Scores, SeriesKey

MAX_DETAIL_CHARACTERS = 200
Bounds = tuple[float, float, float]
"""What is expected, the lower and the upper end of the band; NaN where there is none."""
FAILURES = {
    "timeout": "no answer in time (timeout)",
    "dns": "host name not found (dns)",
    "connect": "connection refused or unreachable (connect)",
    "tls": "TLS failed (tls)",
    "reset": "connection broken off (reset)",
    "protocol": "no valid HTTP answer (protocol)",
    "assertion": "answer not as required (assertion)",
}

PARTS = {
    "resolve": "name resolution",
    "connect": "TCP connection",
    "tls": "TLS handshake",
    "wait": "wait for the first byte",
    "transfer": "transfer",
}


def joined(*parts: str) -> str:
    """The parts of a sentence that are there.

    Examples
    --------
    >>> joined("shop: p95 latency 141 ms", "", "new level accepted")
    'shop: p95 latency 141 ms; new level accepted'
    """
    return "; ".join(part for part in parts if part)


def band_sentence(
    key: SeriesKey,
    feature: str,
    value: float,
    bounds: Bounds,
    contributions: Mapping[str, float],
    detail: str = "",
) -> str:
    """A value, what was expected of it, the bound that it broke, what its detector adds, and what made it strange."""
    unit = unit_name(feature, key.metric)
    told = [_told(key, feature, value, unit), *([detail] if detail else [])]
    return f"{key.target}: {', '.join([*told, *band_of(bounds, unit)])}{because(contributions)}"


def bounds_of(scores: Scores, at: int) -> Bounds:
    """What is expected of one series, and the ends of its band."""
    return float(scores.expected[at]), float(scores.lower[at]), float(scores.upper[at])


def band_of(bounds: Bounds, unit: str) -> list[str]:
    """What was expected, and the bounds that there are.

    Examples
    --------
    >>> band_of((0.1, float("nan"), 0.2), "duration_p95_seconds")
    ['expected 100 ms', 'at most 200 ms']
    """
    told = zip(("expected", "at least", "at most"), bounds, strict=True)
    return [f"{word} {readable(bound, unit)}" for word, bound in told if bound == bound]


def _told(key: SeriesKey, feature: str, value: float, unit: str) -> str:
    if feature == "certificate_remaining_seconds" and value < 0:
        return f"certificate ended {readable(-value, unit)} ago"
    return f"{_what(key, feature)} {readable(value, unit)}"


def _what(key: SeriesKey, feature: str) -> str:
    if key.metric and feature != "silent_seconds":
        return key.metric if feature == "value" else f"{key.metric} {feature}"
    return readable_name(feature)


def because(contributions: Mapping[str, float]) -> str:
    """What is unusual above all; nothing, if there is nothing to choose from.

    Examples
    --------
    >>> because({"value": 0.7, "change": 0.3})
    '; unusual is above all the value (70%)'
    """
    if len(contributions) < 2:
        return ""
    name = max(contributions, key=lambda part: contributions[part])
    return f"; unusual is above all the {name} ({contributions[name]:.0%})"


def row_sentence(key: SeriesKey, failed: bool, row: pa.RecordBatch, times: int) -> str:
    """How a request was answered, or why it was not; `times` on end."""
    status, kind = row["status_code"][0].as_py(), row["error_type"][0].as_py()
    outcome = ": ".join([FAILURES.get(kind, kind or "no answer"), *_detail(row)]) if failed else f"answered {status}"
    return f"{key.target}: {outcome}{f', {times} times in a row' if times > 1 else ''}"


def _detail(row: pa.RecordBatch) -> list[str]:
    """Why a row failed, on one line and short: anybody who sends rows may have written it."""
    text = row["error_detail"][0].as_py()
    return [" ".join(text.split())[:MAX_DETAIL_CHARACTERS]] if text else []

"""What an alert says to people."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from aiops_nb.core.readable import readable, readable_name, unit_name
from aiops_nb.core.types import Scores, SeriesKey
from aiops_nb.judge.movers import Mover

MAX_DETAIL_CHARACTERS = 200
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
    scores: Scores,
    at: int,
    contributions: Mapping[str, float],
    detail: str = "",
) -> str:
    """A value, what was expected of it, the bound that it broke, what its detector adds, and what made it strange."""
    unit = unit_name(feature, key.metric)
    bounds = (("at least", scores.lower[at]), ("at most", scores.upper[at]))
    limits = [f"{word} {readable(float(bound), unit)}" for word, bound in bounds if bound == bound]
    expected = float(scores.expected[at])
    told = [f"{_what(key, feature)} {readable(value, unit)}", *([detail] if detail else [])]
    told += [f"expected {readable(expected, unit)}"] if expected == expected else []
    return f"{key.target}: {', '.join([*told, *limits])}{_because(contributions)}"


def _what(key: SeriesKey, feature: str) -> str:
    if key.metric:
        return key.metric if feature == "value" else f"{key.metric} {feature}"
    return readable_name(feature)


def _because(contributions: Mapping[str, float]) -> str:
    if not contributions:
        return ""
    name = max(contributions, key=lambda part: contributions[part])
    return f"; unusual is above all the {name} ({contributions[name]:.0%})"


def moved_sentence(mover: Mover | None) -> str:
    """The part that moved, and how far.

    Examples
    --------
    >>> moved_sentence(Mover("tls", 0.012, 0.06, {"tls": 1.0}))
    'TLS handshake 5x slower: 12 ms -> 60 ms'
    """
    if mover is None:
        return ""
    times = f" {mover.now / mover.usual:.2g}x slower" if mover.usual > 0 and mover.now < 1000 * mover.usual else ""
    unit = "part_seconds"
    return f"{PARTS.get(mover.part, mover.part)}{times}: {readable(mover.usual, unit)} -> {readable(mover.now, unit)}"


def row_sentence(key: SeriesKey, failed: bool, row: pa.RecordBatch, times: int) -> str:
    """How a request was answered, or why it was not; `times` on end."""
    status, kind = row["status_code"][0].as_py(), row["error_type"][0].as_py()
    outcome = ": ".join([FAILURES.get(kind, kind or "no answer"), *_detail(row)]) if failed else f"answered {status}"
    return f"{key.target}: {outcome}{f', {times} times in a row' if times > 1 else ''}"


def _detail(row: pa.RecordBatch) -> list[str]:
    """Why a row failed, on one line and short: anybody who sends rows may have written it."""
    text = row["error_detail"][0].as_py()
    return [" ".join(text.split())[:MAX_DETAIL_CHARACTERS]] if text else []

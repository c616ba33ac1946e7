"""Summaries of alerts on features: a value, its band, and what changed."""

from __future__ import annotations

from collections.abc import Mapping

from aiops_nb.core.quantities import format_share, readable, readable_name, unit_name, without_unit
from aiops_nb.core.types import Scores, SeriesKey

Bounds = tuple[float, float, float]
"""Expected value, lower and upper end of the band; NaN where there is none."""
UP_METRIC = "up"  # 1 or 0, as Prometheus has it
NOISE = 1e-12  # of the value: what arithmetic leaves of nothing
PHASE_NAMES = {
    "resolve": "DNS lookup",
    "connect": "TCP connect",
    "tls": "TLS handshake",
    "wait": "time to first byte",
    "transfer": "transfer",
}


def joined(*parts: str) -> str:
    """The parts of a summary that are not empty.

    Examples
    --------
    >>> joined("shop: p95 latency 141 ms", "", "baseline updated")
    'shop: p95 latency 141 ms; baseline updated'
    """
    return "; ".join(part for part in parts if part)


def band_sentence(
    key: SeriesKey,
    feature: str,
    value: float,
    bounds: Bounds,
    contributions: Mapping[str, float],
    detail: str = "",
    lasting: str = "",
) -> str:
    """A value, how long it has been so, what its detector adds, its band, and what contributed most.

    Examples
    --------
    >>> nan = float("nan")
    >>> band_sentence(SeriesKey("shop"), "duration_p95_seconds", 0.258, (0.0332, nan, 0.0629), {})
    'shop: p95 latency 258 ms (expected 33, limit 63)'
    >>> band_sentence(SeriesKey("db", metric="cpu_ratio"), "value", 1.0, (nan, nan, 0.95), {}, lasting="for 60 s")
    'db: CPU 100 % for 60 s (limit 95 %)'
    >>> band_sentence(SeriesKey("db", metric="up"), "value", 0.0, (nan, 0.5, nan), {}, lasting="for 30 s")
    'db: down for 30 s'
    """
    if key.metric == UP_METRIC and feature == "value":
        return f"{key.target}: {' '.join(part for part in ('up' if value > 0 else 'down', lasting) if part)}"
    unit = unit_name(feature, key.metric)
    said = " ".join(part for part in (_measured(key, feature, value, unit), lasting) if part)
    said = ", ".join(part for part in (said, detail) if part)
    return f"{key.target}: {said}{band_of(value, bounds, unit)}{because(contributions)}"


def bounds_of(scores: Scores, at: int) -> Bounds:
    """Expected value of one series, and the ends of its band."""
    return float(scores.expected[at]), float(scores.lower[at]), float(scores.upper[at])


def band_of(value: float, bounds: Bounds, unit: str) -> str:
    """The expected value and the limit on the side of the value, in brackets; empty if neither is known.

    Examples
    --------
    >>> band_of(0.3, (0.1, float("nan"), 0.2), "duration_p95_seconds")
    ' (expected 100, limit 200)'
    >>> band_of(4.0, (10.0, 5.0, 15.0), "rate_hz"), band_of(9.0, (10.0, 5.0, 15.0), "rate_hz")
    (' (expected 10, limit 5)', ' (expected 10, range 5 to 15)')
    >>> band_of(0.9, (2.2e-19, float("nan"), 0.5), "error_ratio"), band_of(0.9, (float("nan"),) * 3, "error_ratio")
    (' (expected 0 %, limit 50 %)', '')
    """
    like = readable(value, unit)
    expected, lower, upper = (_short(bound, value, unit, like) for bound in bounds)
    parts = [f"expected {expected}"] if expected else []
    if lower and upper and bounds[1] <= value <= bounds[2]:
        parts.append(f"range {lower} to {upper}")
    elif limit := (lower if lower and (not upper or value < bounds[1]) else upper):
        parts.append(f"limit {limit}")
    return f" ({', '.join(parts)})" if parts else ""


def _short(bound: float, value: float, unit: str, like: str) -> str:
    if bound != bound:
        return ""
    return without_unit(readable(0.0 if abs(bound) < NOISE * abs(value) else bound, unit), like)


def _measured(key: SeriesKey, feature: str, value: float, unit: str) -> str:
    if feature == "certificate_remaining_seconds" and value < 0:
        return f"certificate expired {readable(-value, unit)} ago"
    return f"{_name(key, feature)} {readable(value, unit)}"


def _name(key: SeriesKey, feature: str) -> str:
    if key.metric and feature != "silent_seconds":
        metric = readable_name(key.metric)
        return metric if feature == "value" else f"{metric} {feature}"
    return readable_name(feature)


def because(contributions: Mapping[str, float]) -> str:
    """The part that contributed most; empty if there is nothing to choose from.

    Examples
    --------
    >>> because({"value": 0.7, "change": 0.3})
    '; mainly because of the value (70 %)'
    """
    if len(contributions) < 2:
        return ""
    name = max(contributions, key=lambda part: contributions[part])
    return f"; mainly because of the {name} ({format_share(contributions[name])})"

"""Numbers with their units, for people."""

from __future__ import annotations

NAMES = {
    "duration_p50_seconds": "median latency",
    "duration_p95_seconds": "p95 latency",
    "duration_p99_seconds": "p99 latency",
    "duration_mean_seconds": "mean latency",
    "error_ratio": "error ratio",
    "status_4xx_ratio": "4xx ratio",
    "status_5xx_ratio": "5xx ratio",
    "failed_ratio": "failed ratio",
    "rate_hz": "request rate",
}


def readable_name(feature: str) -> str:
    """What people call a feature.

    Examples
    --------
    >>> readable_name("duration_p95_seconds"), readable_name("value")
    ('p95 latency', 'value')
    """
    return NAMES.get(feature, feature)


def readable(value: float, feature: str) -> str:
    """A value with the unit that its feature's name tells.

    Examples
    --------
    >>> readable(0.0523, "duration_p95_seconds"), readable(1.25, "tls_seconds"), readable(0.125, "error_ratio")
    ('52.3 ms', '1.25 s', '12.5 %')
    >>> readable(3.0, "rate_hz"), readable(float("nan"), "error_ratio"), readable(2048.0, "value")
    ('3 /s', 'unknown', '2048')
    """
    if value != value:
        return "unknown"
    if feature.endswith("_seconds"):
        return f"{value:.3g} s" if abs(value) >= 1 else f"{value * 1e3:.3g} ms"
    if feature.endswith("_ratio"):
        return f"{value * 100:.3g} %"
    return f"{value:.4g} /s" if feature.endswith("_hz") else f"{value:.4g}"

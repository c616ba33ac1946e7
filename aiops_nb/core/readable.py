"""Numbers with their units, for people."""

from __future__ import annotations

import math

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
    "silent_seconds": "silent for",
    "certificate_remaining_seconds": "certificate ends in",
}


def readable_name(feature: str) -> str:
    """What people call a feature.

    Examples
    --------
    >>> readable_name("duration_p95_seconds"), readable_name("value")
    ('p95 latency', 'value')
    """
    return NAMES.get(feature, feature)


OWN_UNITS = ("rate_hz", "silent_seconds")
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
MOST_PLAIN = 1e15
SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def readable(value: float, feature: str) -> str:
    """A value with the unit that the name of its feature, or of its metric, tells.

    Examples
    --------
    >>> readable(0.0523, "duration_p95_seconds"), readable(1.25, "tls_seconds"), readable(0.125, "error_ratio")
    ('52.3 ms', '1.25 s', '12.5 %')
    >>> readable(3.0, "rate_hz"), readable(float("nan"), "error_ratio"), readable(2048.0, "value")
    ('3 /s', 'unknown', '2,048')
    >>> readable(12_345.6, "rate_hz"), readable(11.4, "load_ratio"), readable(1010.0 * 1024, "heap_bytes")
    ('12,346 /s', '1,140 %', '1,010 KiB')
    >>> readable(1.5 * 2**30, "memory_available_bytes"), readable(-2048.0, "disk_read_bytes_per_second")
    ('1.5 GiB', '-2 KiB/s')
    >>> readable(float("inf"), "heap_bytes")
    'inf B'
    >>> readable(0.0, "tls_seconds"), readable(300.0, "silent_seconds"), readable(1.0e6, "silent_seconds")
    ('0 s', '5 min', '11.6 d')
    """
    if value != value:
        return "unknown"
    if feature.endswith("_per_second"):
        return f"{readable(value, feature.removesuffix('_per_second'))}/s"
    if feature.endswith("_seconds"):
        return _duration(value)
    if feature.endswith("_ratio"):
        return f"{_digits(value * 100, 3)} %"
    if feature.endswith("_bytes"):
        return _readable_bytes(value)
    return f"{_digits(value, 4)} /s" if feature.endswith("_hz") else _digits(value, 4)


def _digits(value: float, least: int) -> str:
    """With so many significant digits, and all of those before the point unless there are very many."""
    return f"{value:,.0f}" if 10.0 ** (least - 1) <= abs(value) < MOST_PLAIN else f"{value:.{least}g}"


def _readable_bytes(value: float) -> str:
    size = abs(value) if math.isfinite(value) else 1.0
    power = min(int(math.log2(max(size, 1.0))) // 10, len(BINARY_UNITS) - 1)
    return f"{_digits(value / 1024**power, 3)} {BINARY_UNITS[power]}"


def readable_growth(change: float, feature: str) -> str:
    """A change of a value, with its unit.

    Examples
    --------
    >>> readable_growth(0.023, "memory_ratio"), readable_growth(2.0**20, "heap_bytes")
    ('2.3 points', '1 MiB')
    """
    return f"{change * 100:.3g} points" if feature.endswith("_ratio") else readable(change, feature)


def readable_span(seconds: float) -> str:
    """A time to come, in the largest unit that it fills.

    Examples
    --------
    >>> readable_span(45.0), readable_span(2100.0), readable_span(43200.0), readable_span(2e5)
    ('45 s', '35 min', '12 h', '2.3 d')
    """
    length, unit = next(((length, unit) for length, unit in SPANS if seconds >= length), (1.0, "s"))
    amount = seconds / length
    return f"{amount:.0f} {unit}" if amount >= 10 or amount == round(amount) else f"{amount:.1f} {unit}"


def unit_name(feature: str, metric: str) -> str:
    """The name that tells a feature's unit: its own, or that of the metric that it is a statistic of.

    Examples
    --------
    >>> unit_name("mean_60s", "cpu_ratio"), unit_name("slope_60s", "heap_bytes"), unit_name("rate_hz", "jobs_total")
    ('cpu_ratio', 'heap_bytes_per_second', 'rate_hz')
    >>> unit_name("mean_60s", "jobs_total"), unit_name("silent_seconds", "cpu_ratio")
    ('rate_hz', 'silent_seconds')
    """
    if not metric or feature in OWN_UNITS:
        return feature
    if feature != "value" and metric.endswith("_total"):
        return "rate_hz"
    return f"{metric}_per_second" if feature.startswith("slope_") else metric


def _duration(seconds: float) -> str:
    size = abs(seconds)
    if size < 1:
        return f"{_digits(seconds * 1e3, 3)} ms" if size else "0 s"
    units = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"))
    scale, unit = next(((scale, unit) for least, scale, unit in units if size >= least), (1, "s"))
    return f"{_digits(seconds / scale, 3)} {unit}"

"""Names of samples that are made of series: rates of counters, quantiles and means of distributions."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SPECIAL = re.compile(r'[\\"\n]')
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_UNITS = ("_seconds", "_bytes", "_ratio", "_meters", "_celsius", "_volts", "_amperes", "_joules", "_grams")


def metric_name(name: str, labels: Mapping[str, str]) -> str:
    r"""The series as Prometheus writes it, labels by their names.

    Examples
    --------
    >>> metric_name("up", {}), metric_name("disk_bytes", {"mount": "/", "disk": 'a"b'})
    ('up', 'disk_bytes{disk="a\\"b",mount="/"}')
    """
    if not labels:
        return name
    if _SPECIAL.search("".join(labels.values())):
        labels = {label: value.translate(_ESCAPES) for label, value in labels.items()}
    pairs = ",".join([f'{label}="{value}"' for label, value in sorted(labels.items())])
    return f"{name}{{{pairs}}}"


def rate_name(counter: str) -> str:
    """The name of a counter's rate.

    Examples
    --------
    >>> rate_name("http_requests_total"), rate_name("request_duration_seconds_count")
    ('http_requests_per_second', 'request_duration_seconds_count_per_second')
    """
    return f"{counter.removesuffix('_total')}_per_second"


def statistic_name(family: str, statistic: str) -> str:
    """The name of a statistic of a distribution: the unit stays last.

    Examples
    --------
    >>> statistic_name("request_duration_seconds", "p95"), statistic_name("batch_rows", "mean")
    ('request_duration_p95_seconds', 'batch_rows_mean')
    """
    for unit in _UNITS:
        if family.endswith(unit):
            return f"{family.removesuffix(unit)}_{statistic}{unit}"
    return f"{family}_{statistic}"


def quantile_label(quantile: float) -> str:
    """How a quantile is written in a name.

    Examples
    --------
    >>> quantile_label(0.95), quantile_label(0.999), quantile_label(0.5)
    ('p95', 'p99_9', 'p50')
    """
    return f"p{100 * quantile:.6g}".replace(".", "_")

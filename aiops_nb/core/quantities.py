"""Quantities and text as people read them: durations, bytes, ratios, rates, counts; formatted in one place.

No library serves: pint and humanize round and name units their own way (`a minute ago`, `1.0 kB`), and the strings here
must be the same in every alert, report and screen, to the byte.
"""

from __future__ import annotations

import math
import re

# -- durations

UNITS_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|)")
_EXACT_UNITS = ("d", "h", "min")
_SECONDS_UP_TO, _MINUTES_UP_TO, _HOURS_UP_TO = 120.0, 7_200.0, 172_800.0


def parse_duration(text: str) -> float | None:
    """Seconds; a bare number is seconds; None if it is not a duration.

    Examples
    --------
    >>> parse_duration("5m"), parse_duration("5 min"), parse_duration("250ms"), parse_duration("1.5")
    (300.0, 300.0, 0.25, 1.5)
    >>> parse_duration("soon"), parse_duration("-1s")
    (None, None)
    """
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * UNITS_SECONDS[match[2]] if match else None


def exact_duration(seconds: float) -> str:
    """A setting, in the largest unit of which it is a whole number; `parse_duration` reads it back.

    Examples
    --------
    >>> exact_duration(300), exact_duration(0.25), exact_duration(90), exact_duration(1209600), exact_duration(0)
    ('5 min', '250 ms', '90 s', '14 d', '0 s')
    """
    if seconds and seconds < 1:
        return f"{seconds * 1000:.12g} ms"
    for unit in _EXACT_UNITS:
        if seconds >= UNITS_SECONDS[unit] and seconds % UNITS_SECONDS[unit] == 0:
            return f"{seconds / UNITS_SECONDS[unit]:.12g} {unit}"
    return f"{seconds:.12g} s"


def format_duration(seconds: float) -> str:
    """A measured duration, to about three digits.

    Examples
    --------
    >>> [format_duration(s) for s in (0.00123, 0.0523, 1.25, 90.0)]
    ['1.23 ms', '52 ms', '1.25 s', '90 s']
    >>> [format_duration(s) for s in (300.0, 810.0, 43_200.0, 199_000.0, 1.0e6, 0.0, 4e-6)]
    ['5 min', '13 min 30 s', '12 h', '2.3 d', '11.6 d', '0 s', '0.004 ms']
    """
    if not math.isfinite(seconds):
        return "unknown" if seconds != seconds else f"{seconds:g} s"
    size = abs(seconds)
    if size < 1e-9:
        return "0 s"
    if size < 0.9995:
        return f"{_milliseconds(seconds * 1e3)} ms"
    if size < _SECONDS_UP_TO:
        return f"{_digits(seconds, 3)} s"
    sign = "-" if seconds < 0 else ""
    if size < _MINUTES_UP_TO:
        return sign + _two_units(round(size), 60, "min", "s")
    if size < _HOURS_UP_TO:
        return sign + _two_units(round(size / 60), 60, "h", "min")
    return f"{sign}{_digits(size / 86_400, 3)} d"


def rough_duration(seconds: float) -> str:
    """A time to come, in the largest unit that it fills.

    Examples
    --------
    >>> [rough_duration(s) for s in (45.0, 2100.0, 2302.0, 43_200.0, 2e5)]
    ['45 s', '35 min', '38 min', '12 h', '2.3 d']
    """
    units = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))
    unit, length = next(((unit, length) for unit, length in units if seconds >= length), ("s", 1.0))
    amount = seconds / length
    return f"{amount:.0f} {unit}" if amount >= 10 or amount == round(amount) else f"{amount:.1f} {unit}"


def _milliseconds(value: float) -> str:
    """Of a latency nobody wants to read a tenth of a millisecond."""
    return f"{value:.0f}" if abs(value) >= 9.995 else f"{value:.3g}"


def _two_units(total: int, of: int, large: str, small: str) -> str:
    whole, rest = divmod(total, of)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


# -- bytes, ratios, numbers

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_MOST_PLAIN = 1e15
_NOISE_PERCENT = 1e-9  # what is left of 1 - 1 by rounding
_LEAST_PERCENT = 1e-4


def format_bytes(value: float) -> str:
    """Bytes in binary units.

    Examples
    --------
    >>> format_bytes(1.5 * 2**30), format_bytes(-2048.0), format_bytes(float("inf"))
    ('1.5 GiB', '-2 KiB', 'inf B')
    """
    size = abs(value) if math.isfinite(value) else 1.0
    power = min(int(math.log2(max(size, 1.0))) // 10, len(_BINARY_UNITS) - 1)
    return f"{_digits(value / 1024**power, 3)} {_BINARY_UNITS[power]}"


def format_ratio(value: float) -> str:
    """A ratio in per cent; what is not quite 0 or 100 % never reads as if it were, rounding noise does.

    Examples
    --------
    >>> [format_ratio(r) for r in (0, 0.125, 11.4, 0.99999, 1, 2e-7, 2.17e-19)]
    ['0 %', '12.5 %', '1,140 %', '99.999 %', '100 %', '< 0.0001 %', '0 %']
    """
    percent = value * 100
    if abs(percent) < _NOISE_PERCENT:
        return "0 %"
    if abs(percent) < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT:g} %" if percent > 0 else f"> -{_LEAST_PERCENT:g} %"
    return f"{percent:.6g} %" if 99 < percent < 100 else f"{_digits(percent, 3)} %"


def format_share(value: float) -> str:
    """A share of a whole, in whole per cent.

    Examples
    --------
    >>> format_share(0.804)
    '80 %'
    """
    return f"{value * 100:.0f} %"


def exact_ratio(value: float) -> str:
    """A setting, in per cent to six digits.

    Examples
    --------
    >>> exact_ratio(0.05), exact_ratio(0.99995)
    ('5 %', '99.995 %')
    """
    return f"{value * 100:.6g} %"


def format_number(value: float, digits: int = 4) -> str:
    """A number without a unit, to so many significant digits; those before the point are all kept.

    Examples
    --------
    >>> format_number(2048.0), format_number(3.14159), format_number(12_345.6), format_number(0.01234, digits=2)
    ('2,048', '3.142', '12,346', '0.012')
    """
    return _digits(value, digits)


def format_count(number: float, noun: str = "") -> str:
    """A whole number, with its noun in singular or plural if there is one.

    Examples
    --------
    >>> format_count(1, "alert"), format_count(2_158, "row"), format_count(3, "query"), format_count(2, "batch")
    ('1 alert', '2,158 rows', '3 queries', '2 batches')
    >>> format_count(12_345.0)
    '12,345'
    """
    return f"{number:,.0f} {noun if number == 1 else _plural(noun)}".rstrip()


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "ch", "sh", "x")) else f"{noun}s" if noun else ""


def format_rate(value_hz: float) -> str:
    """A number a second; a very small one is rounding noise of a mean.

    Examples
    --------
    >>> format_rate(3.0), format_rate(12_345.6), format_rate(2.2e-17)
    ('3 /s', '12,346 /s', '0 /s')
    """
    return f"{_digits(value_hz if abs(value_hz) >= 1e-6 else 0.0, 4)} /s"


def _digits(value: float, least: int) -> str:
    """With so many significant digits, and all of those before the point unless there are very many."""
    return f"{value:,.0f}" if 10.0 ** (least - 1) <= abs(value) < _MOST_PLAIN else f"{value:.{least}g}"


# -- by the name of a feature or metric

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
    "silent_seconds": "no data for",
    "certificate_remaining_seconds": "certificate expires in",
    "cpu_ratio": "CPU",
    "cpu_system_share_ratio": "CPU system share",
    "cpu_iowait_ratio": "CPU I/O wait",
    "memory_ratio": "memory",
    "disk_ratio": "disk",
    "swap_in_bytes_per_second": "swap-in",
    "scrape_timeout_ratio": "share of the scrape timeout",
}
_UNITS_SAID_ONCE = ("ms", "s", "/s")
_OWN_UNITS = ("rate_hz", "silent_seconds")


def readable_name(feature: str) -> str:
    """What people call a feature or a metric.

    Examples
    --------
    >>> readable_name("duration_p95_seconds"), readable_name("cpu_ratio"), readable_name("value")
    ('p95 latency', 'CPU', 'value')
    >>> readable_name('cpu_ratio{core="0"}')
    'CPU{core="0"}'
    """
    name, brace, labels = feature.partition("{")
    return f"{NAMES.get(name, name)}{brace}{labels}"


def unit_name(feature: str, metric: str) -> str:
    """The name that says a feature's unit: its own, or that of the metric that it is a statistic of.

    Examples
    --------
    >>> unit_name("mean_60s", "cpu_ratio"), unit_name("slope_60s", "heap_bytes"), unit_name("rate_hz", "jobs_total")
    ('cpu_ratio', 'heap_bytes_per_second', 'rate_hz')
    >>> unit_name("mean_60s", "jobs_total"), unit_name("silent_seconds", "cpu_ratio")
    ('rate_hz', 'silent_seconds')
    >>> unit_name("value", 'disk_bytes{mount="/"}')
    'disk_bytes'
    """
    metric = metric.partition("{")[0]
    if not metric or feature in _OWN_UNITS:
        return feature
    if feature != "value" and metric.endswith("_total"):
        return "rate_hz"
    return f"{metric}_per_second" if feature.startswith("slope_") else metric


def readable(value: float, name: str) -> str:
    """A value with the unit that the name of its feature, or of its metric, says.

    Examples
    --------
    >>> readable(0.0523, "duration_p95_seconds"), readable(0.125, "error_ratio"), readable(3.0, "rate_hz")
    ('52 ms', '12.5 %', '3 /s')
    >>> readable(float("nan"), "error_ratio"), readable(2048.0, "value"), readable(1010.0 * 1024, "heap_bytes")
    ('unknown', '2,048', '1,010 KiB')
    >>> readable(-2048.0, "disk_read_bytes_per_second"), readable(300.0, "silent_seconds")
    ('-2 KiB/s', '5 min')
    """
    if value != value:
        return "unknown"
    if name.endswith("_per_second"):
        return f"{readable(value, name.removesuffix('_per_second'))}/s"
    if name.endswith("_seconds"):
        return format_duration(value)
    if name.endswith("_ratio"):
        return format_ratio(value)
    if name.endswith("_bytes"):
        return format_bytes(value)
    return format_rate(value) if name.endswith("_hz") else format_number(value)


def readable_change(change: float, name: str) -> str:
    """A difference of two values, with its unit.

    Examples
    --------
    >>> readable_change(0.023, "memory_ratio"), readable_change(2.0**20, "heap_bytes")
    ('2.3 points', '1 MiB')
    """
    return f"{change * 100:.3g} points" if name.endswith("_ratio") else readable(change, name)


def without_unit(text: str, like: str) -> str:
    """A readable value without its unit, if another one next to it has the same: of latencies and rates only.

    Examples
    --------
    >>> without_unit("33 ms", "258 ms"), without_unit("33 ms", "1.25 s"), without_unit("95 %", "100 %")
    ('33', '33 ms', '95 %')
    """
    number, _, unit = text.partition(" ")
    return number if unit == like.partition(" ")[2] and unit in _UNITS_SAID_ONCE else text


# -- text from outside


def printable(text: str) -> str:
    r"""The text with control and invisible characters written as escapes, so that it can neither move nor forge output.

    Escape sequences, line breaks and marks that reverse the direction of writing are affected; letters of any script
    are not.

    Examples
    --------
    >>> printable("shop \x1b[2J\r\nALL CLEAR"), printable("prüfen 検査")
    ('shop \\x1b[2J\\r\\nALL CLEAR', 'prüfen 検査')
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)

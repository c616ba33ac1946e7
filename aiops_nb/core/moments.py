"""Moments, ranges of time and names of targets as users write them: one parser for API, command line and YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TypeAlias

import numpy as np

from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.types import NS_PER_SECOND

Moment: TypeAlias = "str | datetime | date | timedelta | np.datetime64 | np.timedelta64 | None"
Bounds: TypeAlias = tuple[int, int] | None

EXPECTED = "a time such as 2026-05-28T20:26:40Z, 2026-05-28, -24h, 'now-1h' or yesterday"
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "min": 60 * NS_PER_SECOND,
    "h": 3_600 * NS_PER_SECOND,
    "d": 86_400 * NS_PER_SECOND,
    "w": 7 * 86_400 * NS_PER_SECOND,
}
_UNIT = "|".join(sorted(_UNITS_NS, key=len, reverse=True))
_SPAN = re.compile(rf"(?:\d+(?:\.\d+)?\s*(?:{_UNIT})\s*)+")
_PART = re.compile(rf"(\d+(?:\.\d+)?)\s*({_UNIT})\s*")
_EPOCH = re.compile(r"@(-?\d+(?:\.\d+)?)\s*(s|ms|us|ns)?")
_DAY = r"(?:\d{4}-\d{2}-\d{2}|\d{8})"
_CLOCK = r"(?:\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?)"
_ZONE = r"(?:[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)"
_ISO = re.compile(rf"{_DAY}(?:[Tt ]{_CLOCK}\s*{_ZONE}?)?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def moment_ns(
    value: Moment, where: str, bounds: Callable[[], Bounds] | None = None, now_ns: int | None = None
) -> int | None:
    """UTC nanoseconds of a moment as a user writes it; None and an empty string stay open.

    Parameters
    ----------
    value
        RFC 3339 or ISO 8601; a date (midnight); a datetime, pandas Timestamp or numpy datetime64; `now`, `today`,
        `yesterday`, `tomorrow`, each with an offset such as `now-1h`; `@1780000000` or `@1780000000000ms` (since 1970).
        Without a zone it is UTC. A duration (`-24h`, `5m`, a Timedelta) counts as in a Python slice: a negative one
        from the end of `bounds`, a positive one from its beginning.
    where
        The argument, for messages.
    bounds
        Gives [first, last) of the data; None refuses durations.
    now_ns
        The present; None reads the clock, where it is needed.

    Raises
    ------
    ConfigError
        If it is not a time. A bare number is refused, as its unit is not known.

    Examples
    --------
    >>> moment_ns("1970-01-01T00:00:01.5Z", "start"), moment_ns("1970-01-01 02:00+02:00", "start")
    (1500000000, 0)
    >>> def day():
    ...     return 0, 86_400_000_000_000
    >>> moment_ns("-23h", "start", day), moment_ns("1h", "end", day), moment_ns("now-1h", "start", now_ns=7_200 * 10**9)
    (3600000000000, 3600000000000, 3600000000000)
    >>> moment_ns("soon", "start")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: start: expected a time such as 2026-05-28T20:26:40Z, ... got 'soon'
    >>> moment_ns(1795727280, "start")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: start: expected a number with its unit, such as '@1795727280s' (seconds since ...
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, (bool, int, float, np.number)) and not isinstance(value, np.timedelta64):
        raise _without_unit(where, value)
    if isinstance(value, (timedelta, np.timedelta64)):
        return _from_edge(_timedelta_ns(value, where), where, value, bounds)
    if isinstance(value, str):
        return _of_text(value.strip(), where, bounds, now_ns)
    return _stamp_ns(value, where, value)


def range_ns(
    start: Moment, end: Moment, bounds: Callable[[], Bounds] | None = None, now_ns: int | None = None
) -> tuple[int | None, int | None]:
    """The half-open range [start, end) in UTC nanoseconds; None is open.

    Raises
    ------
    ConfigError
        If one is not a time, or the end is not after the start.

    Examples
    --------
    >>> range_ns("2026-05-28", "2026-05-28")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: end: expected a time after start (2026-05-28T00:00:00Z), got '2026-05-28' (...
    """
    now_ns = SystemClock().now_ns() if now_ns is None else now_ns
    start_ns, end_ns = moment_ns(start, "start", bounds, now_ns), moment_ns(end, "end", bounds, now_ns)
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        expected = f"a time after start ({_shown(start_ns)})"
        raise ConfigError(f"end: expected {expected}, got {str(end)!r} ({_shown(end_ns)}; a date is its midnight)")
    return start_ns, end_ns


def covered_range_ns(
    start: Moment, end: Moment, recorded: Bounds, now_ns: int | None = None
) -> tuple[int | None, int | None]:
    """The same, for what must not be empty: a report, an export.

    Parameters
    ----------
    start, end
        As in `range_ns`.
    recorded
        [first, last) of the data; None if there is none.

    Raises
    ------
    ConfigError
        Also if no data lies in the range: the message names the recorded range.

    Examples
    --------
    >>> covered_range_ns("2026-05-28", None, (0, 60_000_000_000))
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: start: expected a time before the end of the data (recorded: 1970-01-01T00:00:0...
    """
    start_ns, end_ns = range_ns(start, end, lambda: recorded, now_ns)
    if recorded is None:
        raise ConfigError("start, end: expected data in this range, got none: nothing is recorded yet")
    first_ns, last_ns = recorded
    said = f"(recorded: {_shown(first_ns)} to {_shown(last_ns)})"
    if start_ns is not None and start_ns >= last_ns:
        raise ConfigError.at("start", f"a time before the end of the data {said}", str(start))
    if end_ns is not None and end_ns <= first_ns:
        raise ConfigError.at("end", f"a time after the beginning of the data {said}", str(end))
    return start_ns, end_ns


def known_targets(wanted: str | Sequence[str] | None, known: Iterable[str], where: str = "targets") -> list[str]:
    """The targets that a user named, each of them known; a pattern such as `*/checkout` names several.

    Parameters
    ----------
    wanted
        Names or patterns with `*`, `?`, `[...]`; None or empty: no choice was made, gives an empty list.
    known
        All targets that there are.

    Raises
    ------
    ConfigError
        For one that is not known, with those that are near.

    Examples
    --------
    >>> known = ["http://a/shop", "http://a/cart", "db1"]
    >>> known_targets(["db1", "*/cart"], known), known_targets(None, known)
    (['db1', 'http://a/cart'], [])
    >>> known_targets("cart", known)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: targets: expected a known target, got 'cart'; did you mean http://a/cart?
    """
    listed = [wanted] if isinstance(wanted, str) else list(wanted or ())
    names = list(dict.fromkeys(known))
    chosen: dict[str, None] = {}
    for one in listed:
        if not isinstance(one, str):
            raise ConfigError.at(where, "the name of a target", one)
        matching = [one] if one in names else [name for name in names if fnmatchcase(name, one)]
        if not matching:
            raise _unknown_target(where, one, names)
        chosen.update(dict.fromkeys(matching))
    return list(chosen)


def _unknown_target(where: str, wanted: str, names: Sequence[str]) -> ConfigError:
    within = [name for name in names if wanted and wanted.lower() in name.lower()]
    near = (within or get_close_matches(wanted, names, n=3))[:3]
    shown = ", ".join(names[:10]) + (f", ... ({len(names)} in all)" if len(names) > 10 else "")
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {shown or 'none'}"
    return ConfigError(f"{where}: expected a known target, got {wanted!r}; {hint}")


def _without_unit(where: str, value: object) -> ConfigError:
    return ConfigError(
        f"{where}: expected a number with its unit, such as '@{value}s' (seconds since 1970) or '-5m', got {value!r}"
    )


def _of_text(text: str, where: str, bounds: Callable[[], Bounds] | None, now_ns: int | None) -> int:
    if epoch := _EPOCH.fullmatch(text):
        return _checked(_scaled_ns(epoch[1], epoch[2] or "s"), where, text)
    if _ISO.fullmatch(text):
        return _stamp_ns(text.replace(",", ".").upper(), where, text)
    if _NUMBER.fullmatch(text):
        raise _without_unit(where, text)
    lowered = text.lower()
    sign, span = _signed_span(lowered)
    if span is not None:
        return _from_edge(sign * span, where, text, bounds, from_end=lowered.startswith("-"))
    return _of_word(lowered, where, text, now_ns)


def _of_word(lowered: str, where: str, text: str, now_ns: int | None) -> int:
    match = re.fullmatch(r"(now|yesterday|today|tomorrow)\s*(.*)", lowered)
    if match is None:
        raise ConfigError.at(where, EXPECTED, text)
    now_ns = SystemClock().now_ns() if now_ns is None else now_ns
    day_ns = _UNITS_NS["d"]
    base_ns = now_ns if match[1] == "now" else (now_ns // day_ns + _DAYS[match[1]]) * day_ns
    if not match[2]:
        return base_ns
    sign, span = _signed_span(match[2])
    if span is None or match[2][0] not in "+-":
        raise ConfigError.at(where, EXPECTED, text)
    return _checked(base_ns + sign * span, where, text)


def _signed_span(text: str) -> tuple[int, int | None]:
    sign, body = (-1 if text.startswith("-") else 1), text.lstrip("+-").strip()
    if text[:2].count("-") + text[:2].count("+") > 1 or not _SPAN.fullmatch(body):
        return sign, None
    return sign, sum(_scaled_ns(number, unit) for number, unit in _PART.findall(body))


def _scaled_ns(number: str, unit: str) -> int:
    whole, _, part = number.lstrip("-").partition(".")
    scale = _UNITS_NS[unit]
    size = int(whole) * scale + (int(part) * scale // 10 ** len(part) if part else 0)
    return -size if number.startswith("-") else size


def _from_edge(
    span_ns: int, where: str, value: object, bounds: Callable[[], Bounds] | None, *, from_end: bool | None = None
) -> int:
    known = bounds() if bounds is not None else None
    if known is None:
        why = "there is no data yet" if bounds is not None else "there is no data that it could refer to"
        raise ConfigError(f"{where}: expected {EXPECTED}, got the duration {str(value)!r}, but {why}")
    first_ns, last_ns = known
    counted_from_end = span_ns < 0 if from_end is None else from_end
    return _checked((last_ns if counted_from_end else first_ns) + span_ns, where, value)


def _timedelta_ns(value: timedelta | np.timedelta64, where: str) -> int:
    import pandas as pd

    try:
        span = pd.Timedelta(value)
        if pd.isna(span):
            raise ValueError
        return int(span.as_unit("ns").value)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError.at(where, EXPECTED, str(value)) from None


def _stamp_ns(value: object, where: str, shown: object) -> int:
    import pandas as pd

    try:
        if not isinstance(value, (str, date, np.datetime64)):
            raise TypeError
        stamp = pd.Timestamp(value)
        if pd.isna(stamp):
            raise ValueError
        utc = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return int(utc.as_unit("ns").value)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError.at(where, EXPECTED, shown if isinstance(shown, str) else str(shown)) from None


def _checked(time_ns: int, where: str, shown: object) -> int:
    if not -(2**63) < time_ns < 2**63:
        raise ConfigError.at(where, "a time between 1677 and 2262", str(shown))
    return time_ns


def _shown(time_ns: int) -> str:
    """Without a fraction of zeros."""
    return rfc3339(time_ns).rstrip("Z0").rstrip(".") + "Z" if time_ns % NS_PER_SECOND else rfc3339(time_ns)[:19] + "Z"

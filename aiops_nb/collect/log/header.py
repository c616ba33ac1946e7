"""What a line of a log begins with: its time, its severity, who wrote it."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from aiops_nb.collect.log.severity import severity_of_priority, split_severity

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ISO = rf"\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}(?: ?(?:Z|[+-]\d\d:?\d\d)(?![\d:]))?"
_CLF = rf"\d{{1,2}}[/-][A-Z][a-z]{{2}}[/-]\d{{4}}[: ]{_CLOCK}(?: [+-]\d{{4}})?"
_CTIME = rf"[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} +\d{{1,2}} {_CLOCK}(?: [A-Z]{{3,4}})? \d{{4}}"
_SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
_HEADER = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}}>)(?P<version>1 )?)?[\[(]?(?:(?P<time>{_ISO}|{_CLF}|{_CTIME})|(?P<yearless>{_SYSLOG}))"
    r"[\])]?(?P<after>[\s,:|-]*)"
)
_PRIORITY = re.compile(r"<(\d{1,3})>")
_RFC3164 = re.compile(r"(?P<host>\S{1,255}) (?P<program>[^\s:\[]{1,100})(?:\[[^\]\s]{0,50}\])?: ?")
_RFC5424 = re.compile(
    r"(?P<host>\S{1,255}) (?P<program>\S{1,100}) \S{1,128} \S{1,32} (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?"
)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}  # whatever the language of this machine
_LAST_PRIORITY = 191
_DAY = datetime.timedelta(days=1)


class Header(NamedTuple):
    """Parts of a line; None, or empty, where it has none.

    Attributes
    ----------
    time
        As `LogTimes` reads it.
    severity
        One of five.
    program
        Who wrote it, of syslog.
    text
        The rest.
    """

    time: str | None
    severity: str | None
    program: str
    text: str


def header_of(line: str, now_ns: int) -> Header:
    """Parts of a line of text.

    Parameters
    ----------
    line
        Its first line.
    now_ns
        For times of syslog, which have no year: the last such time that is at most a day ahead of now.

    Examples
    --------
    >>> header_of("2026-12-01 10:00:00,5 ERROR db: gone", 0)
    Header(time='2026-12-01 10:00:00,5', severity='error', program='', text='db: gone')
    >>> header_of("<34>Oct 11 22:14:15 web su[7]: failed", 1_780_000_000_000_000_000)
    Header(time='2025-10-11 22:14:15', severity='critical', program='su', text='failed')
    >>> header_of("no header", 0).time is None
    True
    """
    found = _HEADER.match(line)
    if found is None:
        return _without_time(line)
    rest = line[found.end() :]
    severity = _severity_of(found["priority"])
    program = ""
    time = found["time"]
    if found["version"]:
        program, rest = _split(_RFC5424, rest)
    elif found["yearless"]:
        time = _with_year(found["yearless"], now_ns)
        program, rest = _split(_RFC3164, rest)
    elif found["priority"]:
        program, rest = _split(_RFC3164, rest)
    found_severity, rest = split_severity(rest)
    return Header(time, severity or found_severity, program, rest)


def _without_time(line: str) -> Header:
    priority = _PRIORITY.match(line)
    severity = None if priority is None else _severity_of(priority[1] + ">")
    if priority is not None and severity is not None:
        return Header(None, severity, "", line[priority.end() :])
    found, text = split_severity(line)
    return Header(None, found, "", text)


def _severity_of(priority: str | None) -> str | None:
    if priority is None:
        return None
    number = int(priority[:-1])
    return severity_of_priority(number) if number <= _LAST_PRIORITY else None


def _split(form: re.Pattern[str], rest: str) -> tuple[str, str]:
    found = form.match(rest)
    return ("", rest) if found is None else (found["program"].strip("-"), rest[found.end() :])


def _with_year(text: str, now_ns: int) -> str | None:
    month = _MONTHS.get(text[:3])
    if month is None:
        return None
    latest = datetime.datetime.fromtimestamp(now_ns / 1e9, datetime.UTC).replace(tzinfo=None) + _DAY
    for year in range(latest.year, latest.year - 5, -1):  # 29 February may be up to 4 years back, but for 1900
        try:
            hour, minute, second = (int(part) for part in text[7:].split(":"))
            moment = datetime.datetime(year, month, int(text[4:6]), hour, minute, min(second, 59))
        except ValueError:
            continue
        if moment <= latest:
            return moment.isoformat(sep=" ")
    return None

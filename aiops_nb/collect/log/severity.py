"""Severities as logs write them, to five: debug, info, warning, error, critical."""

from __future__ import annotations

import re

_WORDS = {
    "debug": "trace debug finest finer fine verbose silly dbg",
    "info": "info information notice config log inf",
    "warning": "warn warning wrn",
    "error": "error err severe failure eror",
    "critical": "critical crit fatal alert emerg emergency panic ftl",
}
SEVERITIES = tuple(_WORDS)
_OF_WORD = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_PINO = ((60, "critical"), (50, "error"), (40, "warning"), (30, "info"), (0, "debug"))
_OF_PRIORITY = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
_ANY = "|".join(sorted(_OF_WORD, key=len, reverse=True))
_SHOUTED = "|".join(word.upper() for word in sorted(_OF_WORD, key=len, reverse=True) if len(word) > 2)
_FIRST = re.compile(rf"[\[(<]?(?P<word>{_ANY})[\])>]?(?=[\s:|\],;-]|$)[\s:|,;-]*", re.IGNORECASE)
_LATER = re.compile(
    rf"\[(?:\w{{1,30}}:)?(?P<bracket>{_ANY})\]|\b(?:level|severity|lvl)=\"?(?P<field>{_ANY})\b|\b(?P<shout>{_SHOUTED})\b"
)
_LOOKED_AT = 100


def severity_of(word: object) -> str | None:
    """Severity of a word or a number of pino (10 to 60); None for any other word.

    Examples
    --------
    >>> severity_of("WARN"), severity_of(50), severity_of("loud")
    ('warning', 'error', None)
    """
    if isinstance(word, str):
        return _OF_WORD.get(word.strip().lower()) or (severity_of(int(word)) if re.fullmatch(r"\d{2}", word) else None)
    if isinstance(word, bool) or not isinstance(word, int | float):
        return None
    return next((severity for least, severity in _PINO if word >= least), None)


def severity_of_priority(priority: int) -> str:
    """Severity of a priority of syslog, whose last three bits are it (RFC 5424, 6.2.1).

    Examples
    --------
    >>> severity_of_priority(34), severity_of_priority(13)
    ('critical', 'info')
    """
    return _OF_PRIORITY[priority & 7]


def split_severity(text: str) -> tuple[str | None, str]:
    """Severity of a line without its time, and the line without the word if it begins with it.

    Examples
    --------
    >>> split_severity("[error] 17#0: no route"), split_severity("main ERROR db: gone"), split_severity("an error")
    (('error', '17#0: no route'), ('error', 'main ERROR db: gone'), (None, 'an error'))
    """
    first = _FIRST.match(text)
    if first is not None and (first["word"].isupper() or first.group().strip() != first["word"]):
        return _OF_WORD[first["word"].lower()], text[first.end() :] or text
    later = _LATER.search(text[:_LOOKED_AT])
    if later is None:
        return None, text
    return _OF_WORD[(later["bracket"] or later["field"] or later["shout"]).lower()], text

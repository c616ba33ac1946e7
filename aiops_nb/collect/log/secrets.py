"""Secrets in lines of a log: replaced before a line is recorded.

By RE2, whose time is linear in the length of a line, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import ConfigError

HIDDEN = "***"
_NAMES = r"(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret)"
# Of each the first group is kept.
PATTERNS: tuple[str, ...] = (
    rf"(?i)(\b[\w.-]{{0,40}}{_NAMES}[\w-]{{0,20}}[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}}]+",
    r"(?i)(\bauthorization[\"']?\s*[=:]\s*[\"']?(?:(?:basic|bearer|digest|token)\s+)?)[^\s\"',;]+",
    r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=_.~-]{16,}",
    r"(\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^\s/@]+@",
    r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"()\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,})",
    r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)(?:.|\n)*",
)
MOST_PATTERN_CHARACTERS = 500


def check_pattern(pattern: str, where: str) -> str:
    """A regular expression (RE2) of a user.

    Raises
    ------
    ConfigError
        If it is not valid, longer than 500 characters, or would match everywhere.

    Examples
    --------
    >>> check_pattern("user-[0-9]+", "redact[0]")
    'user-[0-9]+'
    """
    try:
        if len(pattern) > MOST_PATTERN_CHARACTERS or pc.match_substring_regex(pa.array([""]), pattern)[0].as_py():
            raise ConfigError.at(where, f"a pattern of 1 to {MOST_PATTERN_CHARACTERS} characters of text", pattern)
    except pa.ArrowInvalid as problem:
        raise ConfigError.at(where, "a regular expression (RE2)", f"{pattern} ({problem})") from None
    return pattern


def without_secrets(texts: pa.StringArray, more: Sequence[str] = ()) -> pa.StringArray:
    """The texts with `***` for what looks like a secret, and for what `more` patterns match.

    Examples
    --------
    >>> without_secrets(pa.array(["login password=hunter2 ok", "GET redis://u:p@h/0"])).to_pylist()
    ['login password=*** ok', 'GET redis://***@h/0']
    """
    for pattern in PATTERNS:
        keeps_end = "@" if pattern.endswith("@") else ""
        texts = pc.replace_substring_regex(texts, pattern, rf"\1{HIDDEN}{keeps_end}")
    for pattern in more:
        texts = pc.replace_substring_regex(texts, pattern, HIDDEN)
    return texts

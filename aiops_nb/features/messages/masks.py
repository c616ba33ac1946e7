"""What of a line is a parameter by its form: numbers, addresses, paths, times, sizes, and a few words for values."""

from __future__ import annotations

import re
from typing import NamedTuple

MASK = "\x01"  # a parameter; no key has this character
MOST_KEY_CHARACTERS = 2_048  # of a longer line the rest is one parameter
MOST_SLOTS = 200

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"\x01:\x01(?::\x01(?:[.,]\x01)?)?"
_DATE = rf"(?:{_DAY},? )?(?:{_MONTH} \x01|\x01[ -]{_MONTH})(?:[ ,-]{{1,2}}\x01)?"
_LABEL = r"[\w\x01-]+"
_IPV4 = r"\x01(?:\.\x01){3}"
_TOP_LEVEL = r"(?:com|net|org|edu|gov|mil|info|biz|local|lan|internal)"
_COUNTRY = r"(?!(?:py|js|ts|go|rs|rb|sh|so|cc|cs|pl|md|gz|db|io|lo)\b)[a-z]{2}"
_NO_SOURCE_FILE = r"(?!(?:java|scala|py|cpp|hpp|cc|kt|js|ts|go|rs|rb|php|c|h)\b)"
_NAME_BEGINS = r"(?<![\w\x01.@/-])(?!(?:com|org|net|edu|io|java|javax|android)\.)"  # those begin names of classes
_BEGINS = r"(?<![\w\x01.-])"
_VALUE_WORD = r"(?:true|false|null|root|admin|nil|nan)"
_NAME_ENDS = r"(?![\w\x01.-])"
_HEX = r"(?:\x01|[0-9a-fA-F]{4,12})"
_UNIT = r" ?(?:[KMGTP]i?B|bytes|B)\b"


class Mask(NamedTuple):
    """One kind of parameter."""

    name: str
    form: re.Pattern[str]
    instead: str = MASK


# In this order: what is made of others comes first, or its parts would be masked apart. Keys are bounded, and no
# form has nested repetition over the same characters, so none backtracks beyond the length of a token.
MASKS: tuple[Mask, ...] = (
    Mask("url", re.compile(r"\b[a-zA-Z][\w+.-]{1,20}://[^\s,;\"'<>)\]}]+")),
    Mask("quoted value", re.compile(r"(?<=[\w\]]=)(?:\"[^\"]*\"|'[^']*')"), f'"{MASK}"'),
    Mask("number", re.compile(r"(?<!\w)(?:0|(?:[a-f]{8}){1,2}|(?:[A-F]{8}){1,2})(?!\w)")),
    Mask("uuid", re.compile(rf"(?<![\w\x01])(?:{_HEX}-){{3,4}}{_HEX}(?![\w-])")),
    Mask("date in words", re.compile(rf"\b{_DATE}[ ,T:]{{1,2}}{_CLOCK}(?: [A-Z]{{3,4}})?(?: \x01)?")),
    Mask("date and time", re.compile(rf"\x01([-/])\x01\1\x01(?:[ T]{_CLOCK})?")),
    Mask("version", re.compile(r"(?<![\w.-])[vV]\d{1,2}(?:\.\x01)+")),
    Mask("path", re.compile(r"(?<![\w\x01.*)>/-])/(?=[\w\x01.*~-])[^\s:,;=|\"'()\[\]{}<>]+")),
    Mask("windows path", re.compile(r"(?<![\w\x01])[A-Za-z]:\\[^\s,;=|\"'()\[\]{}<>]+")),
    Mask("signed identifier", re.compile(r"\w+_-\x01")),
    Mask("name and address", re.compile(rf"{_BEGINS}[\w-]+\x01?/{_IPV4}(?::\x01)?")),
    Mask("host and port", re.compile(rf"{_BEGINS}(?:{_LABEL}\.)+{_NO_SOURCE_FILE}{_LABEL}(?:/{_IPV4})?:\x01(?!\w)")),
    Mask("host", re.compile(rf"{_NAME_BEGINS}(?:{_LABEL}\.)+{_TOP_LEVEL}{_NAME_ENDS}")),
    Mask("host", re.compile(rf"{_NAME_BEGINS}(?=[\w.]{{0,60}}[\x01-])(?:{_LABEL}\.){{2,8}}{_COUNTRY}{_NAME_ENDS}")),
    Mask("joined numbers", re.compile(r"\x01(?:[.:+@~-]{1,2}\x01)+")),
    Mask("ipv6", re.compile(r"(?<![\w:])(?:[0-9a-fA-F\x01]{0,4}:){2,7}[0-9a-fA-F\x01]{1,4}(?![\w:])")),
    Mask("sign", re.compile(r"(?<![\w\x01.)\]-])-\x01(?!\w)")),
    Mask("word for a value", re.compile(rf"(?i)(?<![\w\x01./\\]){_VALUE_WORD}(?![\w\x01/\\(])")),
    Mask("size", re.compile(rf"\x01{_UNIT}(?: \(\x01{_UNIT}\))?")),
    Mask("bound", re.compile(r"[<>]\x01(?: (?:ms|sec|s|seconds))?(?![\w>])")),
    Mask("empty brackets", re.compile(r"(?<= )(?:\(\)|\[\]|\"\"|'')(?= |$)"), f"({MASK})"),
    Mask("list", re.compile(r"\x01(?: \x01){5,}")),
)  # fmt: skip
_DELIMITER = re.compile(r"([\s=:,;()\[\]{}<>\"'|]+)")
_REST = re.compile(r"\s+")


class Shape(NamedTuple):
    """A line in slots between delimiters; the slots of one skeleton can be compared.

    Attributes
    ----------
    skeleton
        Delimiters, one more than slots: before the first, between, after the last.
    slots
        Words; `MASK` in those that are, or hold, a parameter.
    """

    skeleton: tuple[str, ...]
    slots: tuple[str, ...]

    @property
    def text(self) -> str:
        """The template as people read it, `<*>` for each parameter."""
        parts = [self.skeleton[0]]
        for slot, after in zip(self.slots, self.skeleton[1:], strict=True):
            parts += (slot, after)
        return "".join(parts).replace(MASK, "<*>")


def shape_of(key: str) -> Shape:
    r"""Mask a key and cut it into slots.

    Examples
    --------
    >>> shape_of("Receiving block blk_-0 src: /0.0.0.0:0 size 0 KB").text
    'Receiving block <*> src: <*> size <*>'
    >>> shape_of("user=root, tag=none").slots
    ('user', '\x01', 'tag', 'none')
    """
    is_cut = len(key) > MOST_KEY_CHARACTERS
    text = _REST.sub(" ", key[:MOST_KEY_CHARACTERS]).strip()
    for mask in MASKS:
        text = mask.form.sub(mask.instead, text)
    parts = _DELIMITER.split(text)
    slots, between = parts[::2], parts[1::2]
    first = between.pop(0) if between and not slots[0] else ""
    last = between.pop() if between and not slots[-1] else ""
    slots = slots[bool(first) : len(slots) - bool(last)]
    if is_cut or len(slots) > MOST_SLOTS:
        slots = [*slots[:MOST_SLOTS], MASK]
        between = [*between[: len(slots) - 2], " "]
        last = ""
    return Shape((first, *between, last), tuple(slots))

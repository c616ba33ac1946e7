"""One name for each target on a screen, safe to draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from aiops_nb.core.types import SeriesKey

LONGEST = 40
MOST_SHORTENED = 500
# Bokeh reads mathematics between dollar signs or escaped brackets; browsers read tags between angle brackets
_HARMLESS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "$": "\N{FULLWIDTH DOLLAR SIGN}",
        "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
    }
)


def harmless(text: str) -> str:
    r"""External text without markup, control characters or characters that change its direction; at most 40 long.

    Examples
    --------
    >>> harmless("<b>") == "<b>", harmless("/plain?a=1&b=2"), harmless("a\nb")
    (False, '/plain?a=1&b=2', 'a b')
    """
    plain = "".join(one if one.isprintable() else " " for one in text).translate(_HARMLESS)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST // 2]}…{plain[-LONGEST // 2 + 1 :]}"


def short_names(keys: Sequence[SeriesKey]) -> list[str]:
    """Names without what they share: the scheme, and the host if there is only one.

    Two series never get the same name unless both are cut; the origin is named where both origins occur.

    Examples
    --------
    >>> short_names([SeriesKey("http://a:1/x"), SeriesKey("http://a:1/y", origin="traffic")])
    ['/x', '/y (traffic)']
    >>> short_names([SeriesKey("https://a/x"), SeriesKey("https://b/x")])
    ['a/x', 'b/x']
    >>> short_names([SeriesKey("http://a/x"), SeriesKey("https://a/x"), SeriesKey("https://a/y")])
    ['http://a/x', 'https://a/x', '/y']
    """
    bare = [key.target.partition("://")[2] or key.target for key in keys]
    hosts = {name.partition("/")[0] for name in bare}
    shared = len(hosts) == 1 and all("/" in name for name in bare) and len(set(bare)) > 1
    names = ["/" + name.partition("/")[2] if shared else name for name in bare]
    targets_of = Counter(name for name, _ in {(name, key.target) for name, key in zip(names, keys, strict=True)})
    names = [name if targets_of[name] == 1 else key.target for name, key in zip(names, keys, strict=True)]
    mixed = len({key.origin == "traffic" for key in keys}) > 1
    return [
        harmless(f"{name} (traffic)" if mixed and key.origin == "traffic" else name)
        for name, key in zip(names, keys, strict=True)
    ]


class ScreenNames:
    """The names of all series of a store, so that tiles, charts, filter and alerts call a target the same.

    Parameters
    ----------
    keys
        The series, in a list that only grows.

    Examples
    --------
    >>> names = ScreenNames([SeriesKey("http://a/x", origin="probe"), SeriesKey("http://a/y", origin="probe")])
    >>> names.of(1), names.of_labels({"target": "http://a/x", "origin": "probe"}), names.of_labels({"target": "vm"})
    ('/y', '/x', 'vm')
    """

    def __init__(self, keys: Sequence[SeriesKey]) -> None:
        self._keys = keys
        self._names: list[str] = []
        self._by_key: dict[tuple[str, str], str] = {}
        self._shortened: dict[str, str] = {}

    def all(self) -> list[str]:
        """Names of all series, by number."""
        if len(self._names) != len(self._keys):
            keys = list(self._keys)
            self._names = short_names(keys)
            named = zip(keys, self._names, strict=True)
            self._shortened.clear()
            self._by_key = {pair: name for key, name in named for pair in ((key.target, key.origin), (key.target, ""))}
        return self._names

    def of(self, number: int) -> str:
        """Name of one series."""
        return self.all()[number]

    def of_labels(self, labels: Mapping[str, str]) -> str:
        """Name of the target of an alert: as in the charts if it has one there."""
        self.all()
        target, origin = labels.get("target", ""), labels.get("origin", "")
        return self._by_key.get((target, origin)) or self._by_key.get((target, "")) or harmless(target)

    def shorten(self, text: str) -> str:
        """A sentence in which every URL of a target is replaced by the target's name."""
        self.all()
        if "://" not in text:
            return text
        if text not in self._shortened:
            if len(self._shortened) >= MOST_SHORTENED:
                self._shortened.clear()
            self._shortened[text] = self._shorten(text)
        return self._shortened[text]

    def _shorten(self, text: str) -> str:
        mentioned = {target: name for (target, _), name in self._by_key.items() if "://" in target and target in text}
        for target in sorted(mentioned, key=len, reverse=True):  # the longest first: one may begin with another
            text = text.replace(target, mentioned[target])
        return text

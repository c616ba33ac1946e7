"""Short names for targets, safe to draw."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_nb.core.types import SeriesKey

LONGEST = 40
# Bokeh reads markup in tooltips, and mathematics between dollar signs; a target's name is neither
_HARMLESS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "$": "\N{FULLWIDTH DOLLAR SIGN}",
        "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
        "\n": " ",
    }
)


def harmless(text: str) -> str:
    """Text from outside without anything that Bokeh would interpret, and not too long.

    Examples
    --------
    >>> harmless("<b>") == "<b>", harmless("/plain?a=1&b=2")
    (False, '/plain?a=1&b=2')
    """
    plain = text.translate(_HARMLESS)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST // 2]}…{plain[-LONGEST // 2 + 1 :]}"


def short_names(keys: Sequence[SeriesKey]) -> list[str]:
    """Names without what they have in common: the scheme, and the host where there is but one.

    Examples
    --------
    >>> short_names([SeriesKey("http://a:1/x"), SeriesKey("http://a:1/y", origin="traffic")])
    ['/x', '/y (traffic)']
    >>> short_names([SeriesKey("https://a/x"), SeriesKey("https://b/x")])
    ['a/x', 'b/x']
    """
    bare = [key.target.partition("://")[2] or key.target for key in keys]
    hosts = {name.partition("/")[0] for name in bare}
    shared = len(hosts) == 1 and all("/" in name for name in bare) and len(set(bare)) > 1
    names = ["/" + name.partition("/")[2] if shared else name for name in bare]
    return [
        harmless(f"{name} (traffic)" if key.origin == "traffic" else name)
        for name, key in zip(names, keys, strict=True)
    ]

"""Text from outside on one line of a terminal or a log."""

from __future__ import annotations


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

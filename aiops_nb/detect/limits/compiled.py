"""What a detector hands to the compiled kernel, so that all rules of a table are judged in one call."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

KINDS = ("robust_z", "silence", "level", "burn_rate")  # their places are the numbers that native/rules.c knows them by


class Compiled(NamedTuple):
    """The formula and the state of a detector; the arrays are its own, and the kernel moves them.

    It holds until the detector is called again: that may put larger arrays in their place.
    """

    formula: Literal["robust_z", "silence", "level", "burn_rate"]
    state: tuple[Any, ...]

    @property
    def kind(self) -> int:
        """The number of the formula.

        Examples
        --------
        >>> Compiled("level", (0.95, 1)).kind
        2
        """
        return KINDS.index(self.formula)

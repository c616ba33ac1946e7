"""Templates that differ in words: found again, and merged once a position has shown that it varies.

A line finds the oldest template that it fits. Templates never change; a merge makes a new one that the merged ones
point to. So what a line finds depends on nothing but the lines before it, and can be looked up again at any time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from aiops_nb.core.growing import capacity_for
from aiops_nb.core.types import BoolArray, Int32Array, IntArray
from aiops_nb.features.messages.masks import MASK, Shape

_MASK_CODE = 0
_DIGITS = re.compile(r"[0-9]+")


class MergeParams(NamedTuple):
    """When a position is a parameter.

    Attributes
    ----------
    values
        Different words that make a position a parameter.
    value_values
        The same, where a value is expected: after `=`, or if one of the words is masked, or they differ in digits only.
    first_values
        The same for the first word of a line, which mostly names what happened.
    kept_words
        Words that stay the same for each position that differs, values after `=` apart.
    most_positions
        Positions that may become parameters at once, values after `=` apart.
    """

    values: int = 3
    value_values: int = 2
    first_values: int = 12
    kept_words: float = 1.0
    most_positions: int = 3


class Template(NamedTuple):
    """One template.

    Attributes
    ----------
    id
        Twelve hexadecimal digits of the digest of the text: the same text has the same id in every log and run.
    text
        Words, and `<*>` for each parameter.
    """

    id: str
    text: str


def template_of(text: str) -> Template:
    """A template by its text.

    Examples
    --------
    >>> template_of("session closed for user <*>")
    Template(id='b831c43411d8', text='session closed for user <*>')
    """
    return Template(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest(), text)


@dataclass
class _Leaf:
    """Templates of one skeleton: a matrix of the codes of their words."""

    words: Int32Array
    numbers: list[int] = field(default_factory=list)
    after_equals: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def rows(self) -> Int32Array:
        return self.words[: len(self.numbers)]

    def add(self, row: Int32Array, number: int) -> None:
        if len(self.numbers) == len(self.words):
            wider = np.zeros((capacity_for(len(self.numbers) + 1, 4), self.words.shape[1]), np.int32)
            wider[: len(self.numbers)] = self.rows
            self.words = wider
        self.words[len(self.numbers)] = row
        self.numbers.append(number)


class TemplateTree:
    """All templates of one log, numbered in the order in which they came.

    Parameters
    ----------
    params
        When positions become parameters.
    limit
        Most templates, merged ones included; a line that would be one more has none.

    Examples
    --------
    >>> from aiops_nb.features.messages.masks import shape_of
    >>> tree = TemplateTree()
    >>> [tree.find(shape_of(f"session closed for user {name}")) for name in ("ann", "bob", "eve", "joe")]
    [0, 1, 3, 3]
    >>> tree.templates[3].text, tree.merged
    ('session closed for user <*>', {0: 3, 1: 3, 2: 3})
    """

    def __init__(self, params: MergeParams | None = None, limit: int = 10_000) -> None:
        self.templates: list[Template] = []
        self.merged: dict[int, int] = {}
        self._params = params or MergeParams()
        self._limit = limit
        self._leaves: dict[tuple[str, ...], _Leaf] = {}
        self._code: dict[str, int] = {MASK: _MASK_CODE}
        self._words: list[str] = [MASK]
        self._form: list[str] = [MASK]

    def find(self, shape: Shape) -> int | None:
        """Number of the template of a line, made if it is new and merged if it must be; None beyond the limit."""
        leaf = self._leaves.get(shape.skeleton)
        if leaf is not None:
            known = self._fitting(leaf, shape)
            if known is not None:
                return self.current(known)
        if len(self.templates) >= self._limit:
            return None
        if leaf is None:
            leaf = self._leaves[shape.skeleton] = _Leaf(np.zeros((1, len(shape.slots)), np.int32))
            leaf.after_equals = np.array(["=" in before for before in shape.skeleton[:-1]], np.bool_)
        row = np.array([self._coded(word) for word in shape.slots], np.int32)
        number = self._add(leaf, row, shape)
        while (wider := self._merged(leaf, row, shape.skeleton)) is not None:
            number, row = wider
        return self.current(number)

    def current(self, number: int) -> int:
        """The template that this one has been merged into, or itself."""
        while number in self.merged:
            number = self.merged[number]
        return number

    def _coded(self, word: str) -> int:
        code = self._code.get(word)
        if code is None:
            code = self._code[word] = len(self._words)
            self._words.append(word)
            self._form.append(_DIGITS.sub("0", word).replace(MASK, "0"))
        return code

    def _fitting(self, leaf: _Leaf, shape: Shape) -> int | None:
        row = np.array([self._code.get(word, -1) for word in shape.slots], np.int32)
        fits = ((leaf.rows == row) | (leaf.rows == _MASK_CODE)).all(axis=1)
        first = int(fits.argmax())
        return leaf.numbers[first] if fits[first] else None

    def _add(self, leaf: _Leaf, row: Int32Array, shape: Shape) -> int:
        number = len(self.templates)
        self.templates.append(template_of(shape.text))
        leaf.add(row, number)
        return number

    def _merged(self, leaf: _Leaf, row: Int32Array, skeleton: tuple[str, ...]) -> tuple[int, Int32Array] | None:
        """Merge the newest template with those that show its parameters; the number and words of what it became."""
        if len(self.templates) >= self._limit:
            return None
        live = np.array([number not in self.merged for number in leaf.numbers], np.bool_)
        differs = leaf.rows != row
        masked = differs & ((leaf.rows == _MASK_CODE) | (row == _MASK_CODE))
        for positions in self._patterns(leaf, differs & ~masked, live):
            members = live & ~((differs & ~masked)[:, ~positions]).any(axis=1)
            varies = differs[members].any(axis=0)
            if varies.any() and self._may_vary(leaf, leaf.rows[members], row, varies):
                wide = np.where(varies, np.int32(_MASK_CODE), row)
                return self._replace(leaf, np.flatnonzero(members), wide, skeleton), wide
        return None

    def _patterns(self, leaf: _Leaf, differs: BoolArray, live: BoolArray) -> list[BoolArray]:
        """Sets of positions in which live templates differ, those of few positions first, the oldest first."""
        counts = (differs & ~leaf.after_equals).sum(axis=1)
        chosen = np.flatnonzero(live & (counts <= self._params.most_positions))
        seen: dict[bytes, BoolArray] = {}
        for at in chosen[np.argsort(counts[chosen], kind="stable")].tolist():
            seen.setdefault(differs[at].tobytes(), differs[at])
        return list(seen.values())

    def _may_vary(self, leaf: _Leaf, members: Int32Array, row: Int32Array, varies: BoolArray) -> bool:
        kept = row[~varies]
        words = sum(self._words[code] != MASK for code in kept.tolist())
        if words < max(1.0, self._params.kept_words * int((varies & ~leaf.after_equals).sum())):
            return False
        return all(self._shows_parameter(leaf, members[:, at], at) for at in np.flatnonzero(varies).tolist())

    def _shows_parameter(self, leaf: _Leaf, words: Int32Array, at: int) -> bool:
        different: IntArray = np.unique(words)
        if leaf.after_equals[at] or self._differ_in_digits(different.tolist()):
            needed = self._params.value_values
        else:
            needed = self._params.first_values if at == 0 else self._params.values
        return len(different) >= needed

    def _differ_in_digits(self, codes: list[int]) -> bool:
        """Whether the words are the same but for digits, or one of them is a parameter already."""
        forms = {self._form[code] for code in codes}
        return len(forms) == 1 or _MASK_CODE in codes

    def _replace(self, leaf: _Leaf, members: IntArray, wide: Int32Array, skeleton: tuple[str, ...]) -> int:
        same = np.flatnonzero((leaf.rows == wide).all(axis=1))
        merged = [leaf.numbers[at] for at in members.tolist()]
        if len(same):
            number = leaf.numbers[int(same[0])]
        else:
            number = self._add(leaf, wide, Shape(skeleton, tuple(self._words[code] for code in wide.tolist())))
        self.merged.update({member: number for member in merged if member != number})
        return number

"""Fields of JSON lines that no column is for: counted by name, and kept if that is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from aiops_nb.collect.json_lines.shapes import OpenLine, known_names
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import OTHER

UnknownFields = Literal["drop", "keep"]
Fields: TypeAlias = Mapping[str, msgspec.Raw]
_MAX_NAMES = 100
_MAX_NAME_CHARACTERS = 64


class UnknownCount:
    """How often each unknown field came; `keep` also puts them into the column `extra`, as a JSON object.

    At most 100 names are told apart, the others are `__other__`: whoever sends the lines chooses the names.

    Parameters
    ----------
    choice
        `drop` or `keep`; the attribute `keeps` says which.

    Raises
    ------
    ConfigError
        If the choice is neither.

    Examples
    --------
    >>> from aiops_nb.collect.json_lines.shapes import OpenRequestLine
    >>> unknown, line = UnknownCount("keep"), OpenRequestLine(time=1.0, target="a")
    >>> unknown.note([line], [{"time": msgspec.Raw(b"1"), "zone": msgspec.Raw(b'"b"')}])
    >>> line.extra, unknown.counts
    ('{"zone":"b"}', {'zone': 1})
    """

    def __init__(self, choice: UnknownFields) -> None:
        if choice not in ("drop", "keep"):
            raise ConfigError.at("unknown_fields", "drop or keep", choice)
        self.keeps = choice == "keep"
        self._counter: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All of them."""
        return self._counter.total()

    @property
    def counts(self) -> dict[str, int]:
        """By name, the most frequent first."""
        return dict(self._counter.most_common())

    def note(self, lines: Sequence[OpenLine], fields: Sequence[Fields]) -> None:
        """Take lines of one class, and all fields of each."""
        known = known_names(type(lines[0])) if lines else frozenset()
        for line, extra in zip(lines, self.extras(fields, known), strict=True):
            line.extra = extra

    def extras(self, fields: Sequence[Fields], known: Collection[str]) -> list[str | None]:
        """Count the fields that are not known; each line's as a JSON object, where they are kept and there are any."""
        layouts = Counter(map(tuple, fields))  # lines of one sender look alike: a look at each layout, not at each line
        unknown = {names: [name for name in names if name not in known] for names in layouts}
        for names, lines in layouts.items():
            self._count(unknown[names], lines)
        if not self.keeps:
            return [None] * len(fields)
        return [_text(given, unknown[tuple(given)]) for given in fields]

    def _count(self, names: Sequence[str], lines: int) -> None:
        for name in names:
            shown = name[:_MAX_NAME_CHARACTERS]
            has_room = shown in self._counter or len(self._counter) < _MAX_NAMES
            self._counter[shown if has_room else OTHER] += lines


def _text(given: Fields, names: Sequence[str]) -> str | None:
    if not names:
        return None
    return msgspec.json.encode({name: given[name] for name in names}).decode("utf-8", "replace")  # none was decoded

"""Fields of JSON lines that no column is for: counted by name, and kept if that is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from aiops_nb.collect.json_shapes import OpenLine, known_names
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import OTHER

UnknownFields = Literal["drop", "keep"]
_MAX_NAMES = 100
_MAX_NAME_CHARACTERS = 64


class UnknownCount:
    """How often each unknown field came; `keep` also puts them into the column `extra`, as a JSON object.

    At most 100 names are told apart, the others are `__other__`: whoever sends the lines chooses the names.

    Parameters
    ----------
    choice
        `drop` or `keep`.

    Raises
    ------
    ConfigError
        If the choice is neither.

    Examples
    --------
    >>> from aiops_nb.collect.json_shapes import OpenRequestLine
    >>> unknown, line = UnknownCount("keep"), OpenRequestLine(time=1.0, target="a")
    >>> unknown.note([line], [{"time": msgspec.Raw(b"1"), "zone": msgspec.Raw(b'"b"')}])
    >>> line.extra, unknown.counts
    ('{"zone":"b"}', {'zone': 1})
    """

    def __init__(self, choice: UnknownFields) -> None:
        if choice not in ("drop", "keep"):
            raise ConfigError.at("unknown_fields", "drop or keep", choice)
        self._keeps = choice == "keep"
        self._counter: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All of them."""
        return self._counter.total()

    @property
    def counts(self) -> dict[str, int]:
        """By name, the most frequent first."""
        return dict(self._counter.most_common())

    def note(self, lines: Sequence[OpenLine], fields: Sequence[Mapping[str, msgspec.Raw]]) -> None:
        """Take lines of one class, and all fields of each."""
        known = known_names(type(lines[0])) if lines else frozenset()
        for line, given in zip(lines, fields, strict=True):
            unknown = [name for name in given if name not in known]
            self._count(unknown)
            line.extra = _text(given, unknown) if self._keeps and unknown else None

    def _count(self, names: Sequence[str]) -> None:
        for name in names:
            shown = name[:_MAX_NAME_CHARACTERS]
            has_room = shown in self._counter or len(self._counter) < _MAX_NAMES
            self._counter[shown if has_room else OTHER] += 1


def _text(given: Mapping[str, msgspec.Raw], names: Sequence[str]) -> str:
    return msgspec.json.encode({name: given[name] for name in names}).decode("utf-8", "replace")  # none was decoded

"""Which target a request of an access log belongs to: a bounded number of them, whatever clients ask for."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import OTHER

_log = logging.getLogger(__name__)

TargetChoice: TypeAlias = Literal["template", "path"] | Callable[[str], str]
NO_REQUEST = "-"  # as the log itself writes it
_MAX_CACHED = 10_000
_MAX_CACHED_BYTES = 256  # of one URI; longer ones are rare, and 10,000 of them would be a GB
_MAX_LENGTH = 200
_SIGHTINGS = 3  # of a new target before it replaces an old one, when there is no slot left
_REPLACEMENTS = 10  # times as many targets as there are slots may come in the life of a collector
_NOT_THERE = (400, 404, 405, 410)  # nobody serves such a path: no new endpoint
_NUMBERS = (("/[0-9]+$", "/{id}"), ("/[0-9]+/", "/{id}/"))  # without groups: a third of the time
_UUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_PARAMETERS = re.compile(r";[^/]*")
_IDENTIFIER = re.compile(
    # A whole segment: a number, or a long mixed word.
    r"(?<=/)(?:[0-9]+|(?=[^/]*[0-9])[\w~-]{20,})(?=/|$)"
    # A number before a suffix, such as 7.jpg.
    r"|(?<=/)[0-9]+(?=\.[A-Za-z][A-Za-z0-9]{0,9}(?:/|$))"
    # Somebody's address.
    r"|(?<=/)[^/@]+(?:@|%40)[^/]+\.[A-Za-z]{2,}(?=/|$)"
    # Inside a segment, not next to a letter or digit: a UUID, a date, an IPv4 address, hexadecimal digits, a number.
    rf"|(?<![0-9A-Za-z])(?:{_UUID}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}"
    r"|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}|[0-9]{4,})(?![0-9A-Za-z])"
    # A long mixed word before a suffix, and a long number after letters, such as IMG20261126.
    r"|(?<![\w~-])(?=[\w~-]*[0-9])[\w~-]{20,}(?![\w~-])|(?<![0-9])[0-9]{5,}(?![0-9])"
)


def path_only(uri: str) -> str:
    """The path of a request, without query, fragment and host; at most 200 characters.

    Examples
    --------
    >>> path_only("/a/b?token=1"), path_only("http://example.org/a"), path_only("")
    ('/a/b', '/a', '-')
    """
    path = uri.partition("?")[0].partition("#")[0]
    scheme, separator, rest = path.partition("://")
    if separator and scheme.lower() in ("http", "https", "ws", "wss"):
        path = "/" + rest.partition("/")[2]
    return path[:_MAX_LENGTH] or NO_REQUEST


def path_template(uri: str) -> str:
    """The path with what looks like an identifier replaced: numbers, UUIDs, long hexadecimal and mixed words.

    Identifiers inside a segment count too; what follows a semicolon (`;jsessionid=...`) is left out.

    Examples
    --------
    >>> path_template("/users/42/orders/9f3c2a7be1d04c55?x=1"), path_template("/static/app.js")
    ('/users/{id}/orders/{id}', '/static/app.js')
    >>> path_template("/photos/12345.jpg"), path_template("/cart;jsessionid=8A1F"), path_template("/v1/order-20261")
    ('/photos/{id}.jpg', '/cart', '/v1/order-{id}')
    """
    path = path_only(uri)
    if ";" in path:
        path = _PARAMETERS.sub("", path) or NO_REQUEST
    return _IDENTIFIER.sub("{id}", path)


_CHOICES: dict[str, Callable[[str], str]] = {"template": path_template, "path": path_only}


class LogTargets:
    """Column of request URIs -> targets, at most `max_targets` different ones at a time; the rest are `__other__`.

    Places are given in the order of coming. When none is left, a new target takes one after three requests that were
    not answered with 400, 404, 405 or 410, and the slot that was asked for least lately loses it, those asked for once
    or twice first. So random paths do not keep the slots, and a new endpoint gets one.

    Parameters
    ----------
    choice
        `template`, `path`, or what makes a target of the URI as it was logged.
    max_targets
        How many at a time; ten times as many may come in the life of a collector.

    Raises
    ------
    ConfigError
        If the choice is not valid.

    Examples
    --------
    >>> LogTargets("path", max_targets=1).of(pa.array([b"/a?x=1", b"/b"])).to_pylist()
    ['/a', '__other__']
    """

    def __init__(self, choice: TargetChoice, max_targets: int) -> None:
        if not (callable(choice) or choice in _CHOICES):
            raise ConfigError.at("target", f"{', '.join(_CHOICES)} or a function", choice)
        if max_targets < 1:
            raise ConfigError.at("max_targets", "a number >= 1", max_targets)
        self._choose = choice if callable(choice) else _CHOICES[choice]
        self._known: dict[bytes, str] = {}
        self._slots = _Slots(max_targets)
        self._has_complained = False

    def of(
        self, uris: pa.Array, status_codes: pa.Array | None = None, named: pa.Array | None = None
    ) -> pa.DictionaryArray:
        """The target of each URI, (n,).

        Parameters
        ----------
        uris
            As logged, bytes, (n,).
        status_codes
            Of the replies, null where not known, (n,).
        named
            Targets that the log names itself, bytes, null where it names none, (n,).
        """
        names = self._names(uris)
        if named is not None:
            names = _with(names, named)
        return self._slots.of(names, status_codes)

    def _names(self, uris: pa.Array) -> pa.DictionaryArray:
        if len(self._known) > _MAX_CACHED:
            self._known.clear()
        coded = uris.dictionary_encode()
        shorter = self._shortened(coded.dictionary).dictionary_encode()
        names = pa.array([self._target(uri) for uri in shorter.dictionary.to_pylist()], pa.string()).dictionary_encode()
        positions = names.indices.take(shorter.indices).take(coded.indices)
        return pa.DictionaryArray.from_arrays(positions, names.dictionary)

    def _shortened(self, uris: pa.Array) -> pa.Array:
        """With what most often differs taken away in Arrow: a tenth of the cost, and the same targets."""
        if self._choose in _CHOICES.values():
            for mark in (b"?", b"#"):
                parts = pc.split_pattern(uris, mark, max_splits=1)
                uris = parts.values.take(parts.offsets[:-1])
        if self._choose is path_template:
            for number, placeholder in _NUMBERS:
                uris = pc.replace_substring_regex(uris, number, placeholder)
        return uris

    def _target(self, uri: bytes) -> str:
        target = self._known.get(uri)
        if target is None:
            target = self._named(uri.decode("utf-8", "replace"))
            if len(uri) <= _MAX_CACHED_BYTES:
                self._known[uri] = target
        return target

    def _named(self, uri: str) -> str:
        """What the choice makes of it; a function that fails or gives no string must not cost the next lines."""
        try:
            name = self._choose(uri)
        except Exception as problem:  # a user's function may raise anything
            return self._unnamed(f"raised {type(problem).__name__}: {problem}")
        return name[:_MAX_LENGTH] if isinstance(name, str) and name else self._unnamed(f"gave {name!r}")

    def _unnamed(self, why: str) -> str:
        if not self._has_complained:
            _log.warning(
                "target: expected a function that gives a string, but it %s; such requests are %r", why, NO_REQUEST
            )
            self._has_complained = True
        return NO_REQUEST


class _Slots:
    """The targets that are told apart now: those seen often and those seen once or twice, each the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most * _REPLACEMENTS
        self._often: OrderedDict[str, None] = OrderedDict()
        self._seldom: OrderedDict[str, int] = OrderedDict()
        self._waiting: OrderedDict[str, int] = OrderedDict()

    def of(self, names: pa.DictionaryArray, status_codes: pa.Array | None) -> pa.DictionaryArray:
        """The names that have a slot, in row order, so that a cut into batches changes nothing."""
        words = names.dictionary.to_pylist()
        if self._often.keys() >= set(words):
            self._note(words, names.indices.to_numpy())
            return names
        codes = [None] * len(names) if status_codes is None else status_codes.to_pylist()
        rows = zip(names.indices.to_pylist(), codes, strict=True)
        return pa.array([self._admitted(words[index], code) for index, code in rows], pa.string()).dictionary_encode()

    def _note(self, words: Sequence[str], indices: np.ndarray) -> None:
        """Order the names by when each was seen last."""
        last = np.zeros(len(words), np.int64)
        last[indices] = np.arange(len(indices))
        for index in np.argsort(last, kind="stable").tolist():
            self._often.move_to_end(words[index])

    def _admitted(self, name: str, code: int | None) -> str:
        if name in self._often:
            self._often.move_to_end(name)
        elif name in self._seldom:
            self._count(name)
        elif len(self._often) + len(self._seldom) < self._most:
            self._seldom[name] = 1
        elif not self._is_due(name, code):
            return OTHER
        else:
            (self._seldom or self._often).popitem(last=False)
            self._often[name] = None
        return name

    def _count(self, name: str) -> None:
        sightings = self._seldom.pop(name) + 1
        if sightings < _SIGHTINGS:
            self._seldom[name] = sightings
        else:
            self._often[name] = None

    def _is_due(self, name: str, code: int | None) -> bool:
        """Whether a target that has no slot was asked for often enough to take another's."""
        if code in _NOT_THERE or self._left <= 0:
            return False
        sightings = self._waiting.pop(name, 0) + 1
        if sightings >= _SIGHTINGS:
            self._left -= 1
            return True
        self._waiting[name] = sightings
        if len(self._waiting) > self._most:
            self._waiting.popitem(last=False)
        return False


def _with(names: pa.DictionaryArray, named: pa.Array) -> pa.DictionaryArray:
    """With the names that the log has itself, where it has one."""
    try:
        own = named.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        own = pa.array([None if v is None else v.decode("utf-8", "replace") for v in named.to_pylist()], pa.string())
    own = pc.utf8_slice_codeunits(own, 0, _MAX_LENGTH)
    own = pc.if_else(pc.equal(pc.utf8_length(own), 0), pa.scalar(None, pa.string()), own)
    return pc.coalesce(own, names.cast(pa.string())).dictionary_encode()

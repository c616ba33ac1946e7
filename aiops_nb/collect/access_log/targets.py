"""Which target a request of an access log belongs to: a bounded number of them, whatever clients ask for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Literal, TypeAlias

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
_NUMBERS = (("/[0-9]+$", "/{id}"), ("/[0-9]+/", "/{id}/"))  # without groups: a third of the time
_IDENTIFIER = re.compile(
    r"(?<=/)(?:[0-9]+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[^/]*[0-9])[0-9a-fA-F]{8,}|(?=[^/]*[0-9])[\w~-]{20,})(?=/|$)"
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
    if separator and scheme in ("http", "https"):
        path = "/" + rest.partition("/")[2]
    return path[:_MAX_LENGTH] or NO_REQUEST


def path_template(uri: str) -> str:
    """The path with what looks like an identifier replaced: numbers, UUIDs, long hexadecimal and mixed words.

    Examples
    --------
    >>> path_template("/users/42/orders/9f3c2a7be1d04c55?x=1"), path_template("/static/app.js")
    ('/users/{id}/orders/{id}', '/static/app.js')
    """
    return _IDENTIFIER.sub("{id}", path_only(uri))


_CHOICES: dict[str, Callable[[str], str]] = {"template": path_template, "path": path_only}


class LogTargets:
    """Column of request URIs -> targets, at most `max_targets` different ones; the rest are `__other__`.

    Parameters
    ----------
    choice
        `template`, `path`, or what makes a target of the URI as it was logged.
    max_targets
        In the order of their coming.

    Raises
    ------
    ConfigError
        If the choice is none of them.

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
        self._max_targets = max_targets
        self._targets: set[str] = set()
        self._known: dict[bytes, str] = {}
        self._has_complained = False

    def of(self, uris: pa.Array) -> pa.DictionaryArray:
        """The target of each URI."""
        if len(self._known) > _MAX_CACHED:
            self._known.clear()
        coded = uris.dictionary_encode()
        shorter = self._shortened(coded.dictionary).dictionary_encode()
        names = pa.array([self._target(uri) for uri in shorter.dictionary.to_pylist()], pa.string()).dictionary_encode()
        places = names.indices.take(shorter.indices).take(coded.indices)
        return pa.DictionaryArray.from_arrays(places, names.dictionary)

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
            target = self._admitted(self._named(uri.decode("utf-8", "replace")))
            if len(uri) <= _MAX_CACHED_BYTES:
                self._known[uri] = target
        return target

    def _named(self, uri: str) -> str:
        """What the choice makes of it; a function that fails or gives no text must not cost the lines beside."""
        try:
            name = self._choose(uri)
        except Exception as problem:  # a user's function may raise anything
            return self._unnamed(f"raised {type(problem).__name__}: {problem}")
        return name[:_MAX_LENGTH] if isinstance(name, str) and name else self._unnamed(f"gave {name!r}")

    def _unnamed(self, why: str) -> str:
        if not self._has_complained:
            _log.warning(
                "target: expected a function that gives a text, but it %s; such requests are %r", why, NO_REQUEST
            )
            self._has_complained = True
        return NO_REQUEST

    def _admitted(self, target: str) -> str:
        if target not in self._targets and len(self._targets) >= self._max_targets:
            return OTHER
        self._targets.add(target)
        return target

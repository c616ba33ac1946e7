"""Header values that stand elsewhere: in an environment variable or in a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from aiops_nb.collect.probe_target import check_header
from aiops_nb.core.errors import ConfigError


class SecretHeaders:
    """Headers with their `env:` and `file:` references, read anew each time; the values are never shown.

    Examples
    --------
    >>> os.environ["DEMO_KEY"] = "k1"
    >>> headers = SecretHeaders({"X-Key": "env:DEMO_KEY", "Accept": "*/*"})
    >>> headers.resolve() == {"X-Key": "k1", "Accept": "*/*"}
    True
    >>> headers
    SecretHeaders(['X-Key', 'Accept'])
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)
        self._references = {n: v for n, v in headers.items() if v.startswith(("env:", "file:"))}
        self._last = {**self._headers, **{n: _read(n, v) for n, v in self._references.items()}}

    def __repr__(self) -> str:
        return f"SecretHeaders({list(self._headers)})"

    @property
    def are_constant(self) -> bool:
        """Whether no value can change."""
        return not self._references

    def resolve(self) -> dict[str, str]:
        """The values of now; a reference that cannot be read keeps its last value."""
        for name, reference in self._references.items():
            try:
                self._last[name] = _read(name, reference)
            except ConfigError:
                continue
        return dict(self._last)


def _read(name: str, reference: str) -> str:
    kind, _, place = reference.partition(":")
    value = os.environ.get(place) if kind == "env" else _file_text(place)
    if value is None:
        expected = "an environment variable that is set" if kind == "env" else "a readable text file"
        raise ConfigError.at(f"headers[{name!r}]", expected, reference)
    check_header(name, value)
    return value


def _file_text(place: str) -> str | None:
    try:
        return Path(place).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None

"""Secrets are in an environment variable or a file, and referred to; nothing here shows or keeps one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec

from aiops_nb.collect.headers import check_header
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import is_reference, resolved_text

_SECRET_NAME = re.compile(
    r"authoriz|authentic|cookie|token|secret|passw|signature|credential|session|"
    r"(?:^|[-_])(?:auth|sig|key|pwd|jwt|hmac|bearer)(?:$|[-_])|api[-_]?key|access[-_]?key",
    re.IGNORECASE,
)
_LITERAL_DEFAULT = re.compile(r":-[^}]")


_ALWAYS_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})


def secret_names(headers: Mapping[str, str]) -> frozenset[str]:
    """Lower-case names of the headers that hold secrets: by their names, or because their values are references.

    Examples
    --------
    >>> sorted(secret_names({"X-Api-Key": "k", "X-Plain": "env:DEMO_KEY", "Accept": "*/*"}) - _ALWAYS_SECRET)
    ['x-api-key', 'x-plain']
    """
    found = (name.lower() for name, value in headers.items() if _SECRET_NAME.search(name) or is_reference(value))
    return _ALWAYS_SECRET | frozenset(found)


class SecretHeaders:
    """Headers with their `env:`, `file:` and `${NAME}` references, read at each use; the values are never shown.

    Examples
    --------
    >>> import os
    >>> os.environ["DEMO_KEY"] = "k1"
    >>> headers = SecretHeaders({"X-Key": "env:DEMO_KEY", "Accept": "*/*"})
    >>> headers.resolve() == {"X-Key": "k1", "Accept": "*/*"}
    True
    >>> headers
    SecretHeaders(['X-Key', 'Accept'])
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)
        for name, value in headers.items():
            check_header(name, value)
        self._references = {n: v for n, v in headers.items() if is_reference(v)}
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
    value = resolved_text(reference, f"headers[{name!r}]")
    check_header(name, value)
    return value


def refuse_literal_secrets(params: msgspec.Struct, where: str) -> None:
    """Refuse parameters that hold a secret instead of saying where it is: they are kept in recordings.

    Checked are `headers` named like secrets, and the password and the parameters named like secrets of a `url`.

    Raises
    ------
    ConfigError
        Naming the place, never the value.

    Examples
    --------
    >>> from aiops_nb.collect.http.target import ProbeTarget
    >>> literal, reference = ({"Authorization": f"Bearer {token}"} for token in ("s3cret", "${TOKEN}"))
    >>> refuse_literal_secrets(ProbeTarget(url="https://h/", headers=reference), "targets[0]")
    >>> refuse_literal_secrets(ProbeTarget(url="https://h/", headers=literal), "targets[0]")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: targets[0].headers.Authorization: expected a reference (env:NAME, file:PATH or ...
    """
    for name, value in getattr(params, "headers", {}).items():
        if _SECRET_NAME.search(name):
            _require_reference(value, f"{where}.headers.{name}")
    _require_reference(getattr(params, "token", None) or "", f"{where}.token")
    _refuse_in_url(getattr(params, "url", None) or "", f"{where}.url")


def _refuse_in_url(url: str, where: str) -> None:
    parts = urlsplit(url)
    _require_reference(parts.netloc.rpartition("@")[0].partition(":")[2], where)
    for name, value in parse_qsl(parts.query):
        if _SECRET_NAME.search(name):
            _require_reference(value, where)


def refuse_literal(name: str, value: str, where: str) -> None:
    """Refuse one value that is a secret by its name, or a URL with a password.

    Raises
    ------
    ConfigError
        Naming the place, never the value.

    Examples
    --------
    >>> refuse_literal("db_password", "env:DB_PASSWORD", "parameters.db_password")
    >>> refuse_literal("source", "https://joe:s3cret@h/", "parameters.source")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: parameters.source: expected a reference (env:NAME, file:PATH or ${NAME}), ...
    """
    if _SECRET_NAME.search(name):
        _require_reference(value, where)
    if "://" in value:
        _refuse_in_url(value, where)


def _require_reference(value: str, where: str) -> None:
    if value and (not is_reference(value) or _LITERAL_DEFAULT.search(value)):
        raise ConfigError(
            f"{where}: expected a reference (env:NAME, file:PATH or ${{NAME}}), got a literal (not shown)"
        )

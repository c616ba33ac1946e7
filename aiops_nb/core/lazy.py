"""Public names of a package that load their module on first use; six lines, so that no library is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` (PEP 562) of a package.

    Parameters
    ----------
    package
        Its `__name__`.
    homes
        Each public name, with the dotted name of its module.

    Examples
    --------
    >>> get, names = lazily("demo", {"AiopsError": "aiops_nb.core.errors"})
    >>> names(), get("AiopsError").__name__
    (['AiopsError'], 'AiopsError')
    >>> get("nothing")
    Traceback (most recent call last):
    ...
    AttributeError: module 'demo' has no attribute 'nothing'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return get, lambda: sorted(homes)

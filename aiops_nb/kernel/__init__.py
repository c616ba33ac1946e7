"""The one place that decides whether the compiled kernel is used; numpy gives the same bits without it.

`compiled` is the module built from `native/`, or None. The environment variable AIOPS_NB_KERNEL overrides the choice:
`auto` (default) uses the kernel where it is installed, `off` never does, `require` fails on import without it.

Callers ask at each call, so that a test can run both ways: `if kernel.compiled is not None: kernel.compiled.f(...)`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import ModuleType

VARIABLE = "AIOPS_NB_KERNEL"
_CHOICES = ("auto", "off", "require")


def _load(choice: str) -> tuple[ModuleType | None, str]:
    if choice not in _CHOICES:
        raise ImportError(f"{VARIABLE}: expected {', '.join(_CHOICES)}, got {choice!r}")
    if choice == "off":
        return None, f"numpy ({VARIABLE}=off)"
    try:
        from aiops_nb.kernel import _kernel  # type: ignore[attr-defined, unused-ignore]
    except ImportError:
        return None, "numpy (no compiled kernel is installed)"
    if _checkout_digest() not in (None, _kernel.SOURCES):
        return None, "numpy (the compiled kernel is older than native/; run `make kernel`)"
    return _kernel, "compiled"


def _checkout_digest() -> str | None:
    """Digest of the C sources of a checkout, as native/build.py makes it; None of an installed wheel."""
    folder = Path(__file__).parents[2] / "native"
    if not (folder / "kernel.c").is_file():
        return None
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


compiled, _STATUS = _load(os.environ.get(VARIABLE, "auto"))
if compiled is None and os.environ.get(VARIABLE) == "require":
    raise ImportError(f"{VARIABLE}=require: expected the compiled kernel, got {_STATUS}")


def status() -> str:
    """Which code computes: `compiled`, or `numpy` and why.

    Examples
    --------
    >>> status().split()[0] in ("compiled", "numpy")
    True
    """
    return _STATUS

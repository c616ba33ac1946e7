"""The version of the engine's results: it changes with any source that could change a feature, a score or an alert."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOMS = ("core", "alert", "detect", "features", "preprocess", "record", "rules", "engine", "frames")
PACKAGE = Path(__file__).parents[2]
SOURCES = frozenset({".py", ".c", ".h"})
# Of these, detectors may be made; a rule of thumb such as the first number of a version would miss a fix.
LIBRARIES = ("numpy", "pyarrow", "scipy", "scikit-learn", "pyod", "river")


@cache
def results_version() -> str:
    """SHA-256 over the sources of all rooms that results depend on, and the versions of libraries that compute them."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*")):
            if path.suffix in SOURCES:
                digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    for name in LIBRARIES:
        digest.update(f"{name} {_version_of(name)}\0".encode())
    digest.update(platform.machine().encode())
    return digest.hexdigest()


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

"""Installed packages that offer entry points, laid out as pip would."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n"


@contextmanager
def installed(folder: Path, name: str, entry_points: str, modules: Mapping[str, str]) -> Iterator[None]:
    """A package in `folder`, importable meanwhile; `modules` by their file names."""
    information = folder / f"{name}-0.1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(METADATA.format(name=name), encoding="utf-8")
    (information / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    for file, source in modules.items():
        (folder / file).write_text(source, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for file in modules:
            sys.modules.pop(file.removesuffix(".py"), None)

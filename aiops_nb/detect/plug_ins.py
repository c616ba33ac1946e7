"""Detectors that installed packages offer as entry points of the group `aiops_nb.detectors`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from aiops_nb.detect.spec import DetectorSpec

GROUP = "aiops_nb.detectors"
OURS = "aiops_nb"
MAX_PROBLEM_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugIn:
    """A detector as an installed package offers it: its spec, or why it cannot be used."""

    name: str
    package: str
    spec: DetectorSpec | None
    problem: str


def plug_ins(built_in: frozenset[str]) -> list[PlugIn]:
    """Load what the installed packages offer; one that cannot be used has a `problem` and is warned of.

    Nothing that a plug-in does while it is loaded ends the caller, short of ending the process.

    Parameters
    ----------
    built_in
        Types that are taken.

    Examples
    --------
    >>> all((one.spec is None) == bool(one.problem) for one in plug_ins(frozenset()))
    True
    """
    taken = dict.fromkeys(built_in, OURS)
    found = [_loaded(point, taken) for point in _points()]
    for one in found:
        if one.problem:
            message = f"detector plug-in {one.name} of {one.package} is not available: {one.problem}"
            warnings.warn(message, RuntimeWarning, stacklevel=callers_level())
    return found


def callers_level() -> int:
    """`stacklevel` of a warning for the caller of this function that names the line outside of this package.

    Examples
    --------
    >>> callers_level() >= 1
    True
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == OURS:
        frame, level = frame.f_back, level + 1
    return level


def _points() -> Iterator[EntryPoint]:
    seen: set[tuple[str, str]] = set()
    for point in sorted(entry_points(group=GROUP), key=lambda one: (_package(one), one.name)):
        if (point.name, point.value) not in seen:  # a folder may be listed twice in sys.path
            seen.add((point.name, point.value))
            yield point


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


def _loaded(point: EntryPoint, taken: dict[str, str]) -> PlugIn:
    package, spec = _package(point), None
    try:
        spec = point.load()
        problem = _problem(point, spec, taken)
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # the code of others may raise anything, SystemExit included
        problem = f"{type(fault).__name__}: {' '.join(str(fault).split())}"[:MAX_PROBLEM_CHARACTERS]
    if problem:
        return PlugIn(name=point.name, package=package, spec=None, problem=problem)
    assert isinstance(spec, DetectorSpec)
    taken[spec.type] = package
    return PlugIn(name=spec.type, package=package, spec=spec, problem="")


def _problem(point: EntryPoint, spec: object, taken: dict[str, str]) -> str:
    if not isinstance(spec, DetectorSpec):
        return f"expected a DetectorSpec, got {type(spec).__name__}"
    if spec.type != point.name:
        return f"expected the entry point's name to be its type {spec.type!r}, got {point.name!r}"
    if spec.type in taken:
        return f"the type {spec.type!r} is taken by {taken[spec.type]}"
    return ""
